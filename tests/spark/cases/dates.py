"""Dates and timestamps, in two time zones."""

from __future__ import annotations

from .model import Case, expressions, frames, over, queries

NEW_YORK = {"spark.sql.session.timeZone": "America/New_York"}

CASES: list[Case] = [
    *expressions(
        "year(date'2024-02-29'), month(date'2024-02-29'), day(date'2024-02-29'), dayofmonth('2024-02-29')",
        "quarter(date'2024-05-01'), dayofweek(date'2024-02-29'), weekday(date'2024-02-29'), dayofyear(date'2024-12-31')",
        "weekofyear(date'2024-12-31'), weekofyear(date'2021-01-01'), dayname(date'2024-02-29'), monthname(date'2024-02-29')",
        "hour(timestamp'2024-01-01 13:14:15.5'), minute('2024-01-01 13:14:15'), second(timestamp'2024-01-01 13:14:15.5')",
        "extract(year from date'2024-02-29'), extract(second from timestamp'2024-01-01 00:00:01.25')",
        "date_part('month', date'2024-02-29'), extract(week from date'2024-01-01'), extract(dow from date'2024-01-01')",
        "date_add(date'2024-02-28', 2), date_add('2024-02-28', -1), date_sub(date'2024-03-01', 1), dateadd(date'2024-01-01', 1)",
        "date'2024-01-01' + 1, date'2024-01-01' - 1, date'2024-03-01' - date'2024-02-01'",
        "date'2024-01-31' + interval 1 month, date'2024-01-01' + interval 2 days, timestamp'2024-01-01' + interval 36 hours",
        "timestamp'2024-01-02 00:00:00' - timestamp'2024-01-01 12:00:00'",
        "datediff(date'2024-03-01', date'2024-02-01'), datediff('2024-01-01', '2024-01-02'), date_diff(date'2024-01-02', '2024-01-01')",
        "datediff(hour, timestamp'2024-01-01', timestamp'2024-01-02'), timestampdiff(month, date'2024-01-31', date'2024-02-29')",
        "add_months(date'2024-01-31', 1), months_between('2024-03-31', '2024-02-29'), last_day('2024-02-01')",
        "next_day('2024-01-01', 'Mon'), trunc(date'2024-05-17', 'month'), trunc('2024-05-17', 'year'), trunc('2024-05-17', 'x')",
        "date_trunc('hour', timestamp'2024-05-17 13:14:15'), date_trunc('week', timestamp'2024-05-17 13:14:15')",
        "to_date('2024-02-29'), to_date('29.02.2024', 'dd.MM.yyyy'), to_date(timestamp'2024-02-29 23:00:00')",
        "to_date('nope')",
        "to_date('2024-13-01', 'yyyy-MM-dd')",
        "try_to_date('nope')",
        "to_timestamp('2024-02-29 10:11:12'), to_timestamp('29/02/2024 10', 'dd/MM/yyyy HH')",
        "to_timestamp('x', 'yyyy')",
        "try_to_timestamp('x')",
        "date_format(date'2024-02-09', 'yyyy/M/d EEE'), date_format(timestamp'2024-02-09 03:04:05.678', 'yy-MM-dd hh:mm:ss.SSS a')",
        "date_format('2024-02-29', 'MMMM QQQ D')",
        "date_format(date'2024-02-29', 'YYYY')",
        "make_date(2024, 2, 29), make_timestamp(2024, 2, 29, 1, 2, 3.5)",
        "make_date(2023, 2, 29)",
        "unix_timestamp('2024-01-01 00:00:00'), unix_timestamp(timestamp'2024-01-01'), to_unix_timestamp('2024-01-01', 'yyyy-MM-dd')",
        "from_unixtime(0), from_unixtime(1700000000, 'yyyy-MM-dd'), timestamp_seconds(1.5), timestamp_millis(1), timestamp_micros(1)",
        "unix_date(date'1970-01-02'), date_from_unix_date(1), unix_seconds(timestamp'1970-01-01 00:00:01'), unix_millis(timestamp'1970-01-01')",
        "current_date() = current_date, current_timestamp() = now(), typeof(current_timestamp()), typeof(current_date()), typeof(localtimestamp())",
        "current_timezone()",
        "from_utc_timestamp('2024-01-01 12:00:00', 'Asia/Tokyo'), to_utc_timestamp('2024-01-01 12:00:00', 'Asia/Tokyo')",
        "convert_timezone('UTC', 'Asia/Tokyo', timestamp_ntz'2024-01-01 00:00:00')",
        "date'2024-02-29', timestamp'2024-02-29 01:02:03', timestamp_ntz'2024-02-29 01:02:03', timestamp_ltz'2024-02-29'",
        "date'2024-02-30'",
        "string(interval '1-2' year to month), string(interval 3 months), typeof(interval 1 year)",
        "interval '1 02:03:04' day to second, interval 90 minutes",
        "interval 1 month 1 day",
        "make_dt_interval(1, 2), string(make_ym_interval(1, 2))",
        "date'2024-01-01' between '2023-12-31' and '2024-01-02', date'2024-01-01' in ('2024-01-01')",
        "date_add(date'2024-01-01', 'x')",
        "date_add(1, 1)",
        "year('x')",
        "sequence(date'2024-01-01', date'2024-03-01', interval 1 month)",
        "dateadd(month, 1, date'2024-01-31'), timestampadd(hour, -1, timestamp'2024-01-01')",
    ),
    *expressions(
        "hour(timestamp'2024-01-01 13:00:00Z'), to_date(timestamp'2024-01-01 03:00:00Z'), year(timestamp'2024-01-01 03:00:00Z')",
        "date_format(timestamp'2024-07-01 12:00:00Z', 'yyyy-MM-dd HH:mm:ss z XXX')",
        "unix_timestamp('2024-01-01 00:00:00'), from_unixtime(0)",
        "timestamp'2024-03-09 12:00:00' + interval 1 day, timestamp'2024-03-09 12:00:00' + interval 24 hours",
        "date_trunc('day', timestamp'2024-01-01 03:00:00Z'), timestamp'2024-01-01', timestamp_ntz'2024-01-01'",
        "to_timestamp('2024-07-01 10:00:00'), current_timezone()",
        "timestamp'2024-01-02' - timestamp'2024-01-01', datediff(timestamp'2024-01-02 03:00:00Z', timestamp'2024-01-01 12:00:00Z')",
        conf=NEW_YORK,
    ),
    *over(
        "people",
        "year(born), month(born), dayofmonth(born), dayofweek(born), weekofyear(born), quarter(born)",
        "date_add(born, 1), date_sub(born, id), datediff(born, date'1970-01-01'), born + 1, born - date'1970-01-01'",
        "add_months(born, 1), last_day(born), trunc(born, 'month'), date_format(born, 'yyyy-MM')",
        "born > '1990-01-01', born = date'1970-01-01', born between '1960-01-01' and '1971-01-01'",
        "to_date(string(born)), to_timestamp(born), unix_timestamp(born), cast(born as timestamp)",
    ),
    *frames(
        {
            "date functions": lambda spark, F: spark.table("people").select(
                F.year("born"),
                F.month("born"),
                F.dayofmonth("born"),
                F.date_add("born", 1),
                F.datediff(F.lit("2024-01-01"), "born"),
                F.date_format("born", "dd.MM.yyyy"),
                F.last_day("born"),
                F.add_months("born", 1),
                F.trunc("born", "year"),
            ),
            "to_date and to_timestamp": lambda spark, F: spark.range(1).select(
                F.to_date(F.lit("2024-02-29")),
                F.to_date(F.lit("29.02.24"), "dd.MM.yy"),
                F.to_timestamp(F.lit("2024-02-29 01:02:03")),
                F.to_timestamp(F.lit("2024"), "yyyy"),
            ),
            "date_trunc": lambda spark, F: spark.range(1).select(F.date_trunc("month", F.lit("2024-05-17 01:00:00"))),
            "names of now": lambda spark, F: spark.range(1).select(F.current_date(), F.current_timestamp()).columns,
        }
    ),
    *[
        Case(
            "show in New York",
            lambda spark, F: spark.sql(
                "select timestamp'2024-01-01 12:00:00Z' t, timestamp_ntz'2024-01-01 12:00:00' n"
            )._show_string(20, False, False),
            conf=NEW_YORK,
        )
    ],
    *expressions(
        "date'2024-01-05' - interval 2 days, interval 2 days + date'2024-01-01', date'2024-01-01' + interval 5 hours",
        "interval '1 02:03' day to minute, interval '02:03' hour to minute, interval '-1 02:03:04.005' day to second",
        "string(interval -3 months), string(interval '2:03.5' minute to second), string(interval 5 seconds)",
        "string(interval 1500 milliseconds), string(interval 2 weeks 3 hours), string(interval 1 year 2 months)",
        "- interval 1 day, interval 1 day - interval 30 minutes",
        "timestamp'2024-01-02' - interval 5 hours, timestamp_ntz'2024-03-31' - interval 1 month",
        "typeof(interval 1 day), typeof(interval 1 day + interval 1 second), typeof(date'2024-01-02' - date'2024-01-01')",
    ),
    *queries(
        "select d, count(*) from (select born - date'1970-01-01' d from people) group by d order by d",
        "select distinct interval 1 day d from people",
        "select id, row_number() over (order by d) r from (select id, born - date'1970-01-01' d from people) order by id",
        "select * from (values (interval 1 day), (interval 3 days)) t(d) order by d",
        "select d + interval 1 hour e, timestamp'2024-01-01' + d t, d > interval 5 hours g from (select interval 1 day d)",
    ),
]

"""Queries for what Spark documents no example of, and neighbours of its examples: columns, NULLs, bad input."""

from __future__ import annotations

MORE: dict[str, list[str]] = {
    "abs": ["SELECT abs(a), abs(b) FROM VALUES (-1, -2.5), (NULL, 0.0) AS t(a, b)", "SELECT abs('x')"],
    "approx_count_distinct": [
        "SELECT approx_count_distinct(id % 7), approx_count_distinct(id, 0.01) > 90 FROM range(100)"
    ],
    "array_insert": [
        "SELECT array_insert(a, 1, 'x'), array_insert(a, -1, 'x'), array_insert(a, -3, 'x') FROM VALUES (array('p', 'q')), (array()) AS t(a)",
        "SELECT array_insert(array(1, 2), 5, 9), array_insert(array(1, 2), -4, 9)",
        "SELECT array_insert(array(1), 0, 2)",
    ],
    "array_sort": ["SELECT array_sort(a) FROM VALUES (array(3, NULL, 1)), (NULL) AS t(a)"],
    "arrays_zip": [
        "SELECT arrays_zip(array(1), array('a', 'b')), arrays_zip(), arrays_zip(a, array(1)) FROM VALUES (array(2, 3)) AS t(a)",
        "SELECT arrays_zip(a, b) FROM VALUES (array(1, 2), array('x')), (NULL, array('y')) AS t(a, b)",
    ],
    "base64": ["SELECT base64(x), unbase64(base64(x)) FROM VALUES (X'00FF'), (NULL) AS t(x)"],
    "bigint": ["SELECT bigint('12'), bigint(3.9), bigint(NULL)", "SELECT bigint('x')"],
    "binary": ["SELECT binary('abc'), binary(NULL)"],
    "boolean": ["SELECT boolean('true'), boolean(0), boolean('no')", "SELECT boolean('x')"],
    "case": ["SELECT CASE WHEN 1 > 2 THEN 'a' ELSE 'b' END, CASE 3 WHEN 3 THEN 1 END"],
    "conv": ["SELECT conv(a, 36, 2), conv(a, 16, -10) FROM VALUES ('z1'), ('-f'), ('!'), (NULL) AS t(a)"],
    "convert_timezone": ["SELECT convert_timezone('Europe/Oslo', 'Asia/Tokyo', TIMESTAMP_NTZ'2024-03-31 02:30:00')"],
    "corr": ["SELECT corr(a, b), covar_pop(a, b) FROM VALUES (1, 1), (2, NULL), (3, 5) AS t(a, b)"],
    "count_if": ["SELECT g, count_if(a > 1) FROM VALUES ('x', 1), ('x', 2), ('y', NULL) AS t(g, a) GROUP BY g"],
    "crc32": ["SELECT crc32('Spark'), crc32(X'00'), crc32(NULL)"],
    "date": ["SELECT date('2024-02-29'), date(TIMESTAMP'2024-01-01 10:00:00')", "SELECT date('2023-02-29')"],
    "date_format": [
        "SELECT date_format(t, 'yyyy-MM-dd HH:mm:ss.SSS EEE a'), date_format(t, 'MMM d, y'), date_format(t, 'QQQ D')"
        " FROM VALUES (TIMESTAMP'2024-02-09 15:04:05.678'), (NULL) AS x(t)",
        "SELECT date_format('2024-01-01', 'yyyy-bb')",
    ],
    "date_part": [
        "SELECT date_part('SECONDS', INTERVAL '-1 02:03:04.5' DAY TO SECOND), date_part('DAY', INTERVAL '-1 02:03:04.5' DAY TO SECOND), date_part('MONTH', INTERVAL '-1-5' YEAR TO MONTH), extract(YEAR FROM INTERVAL '-1-5' YEAR TO MONTH)",
        "SELECT date_part('HOUR', INTERVAL '1-5' YEAR TO MONTH)",
        "SELECT date_part('days', INTERVAL '3 04:05:06.7' DAY TO SECOND), date_part('h', INTERVAL '3 04:05:06.7' DAY TO SECOND),"
        " date_part('s', INTERVAL '3 04:05:06.7' DAY TO SECOND), date_part('mon', INTERVAL '2-3' YEAR TO MONTH)",
        "SELECT date_part('nope', DATE'2024-01-01')",
    ],
    "date_trunc": [
        "SELECT date_trunc(f, TIMESTAMP'2024-08-15 12:34:56.789') FROM VALUES ('week'), ('quarter'), ('MON'), ('DD'),"
        " ('MILLISECOND'), ('microsecond'), ('x'), (NULL) AS t(f)"
    ],
    "dayname": [
        "SELECT dayname(d), monthname(d), weekday(d), dayofweek(d) FROM VALUES (DATE'2024-02-09'), (NULL) AS t(d)"
    ],
    "decimal": ["SELECT decimal('12.5'), decimal(3)", "SELECT decimal('x')"],
    "double": ["SELECT double('1e3'), double('nan'), double(1)", "SELECT double('x')"],
    "elt": [
        "SELECT elt(1, 2, 'b'), elt(2, 'a', NULL)",
        "SELECT elt(0, 'a')",
        "SELECT elt(n, 'a', 'b') FROM VALUES (1), (NULL) AS t(n)",
        "SELECT elt(3, 'a', 'b')",
    ],
    "factorial": ["SELECT factorial(n) FROM VALUES (0), (20), (21), (-1), (NULL) AS t(n)"],
    "float": ["SELECT float('1.5'), float(2)"],
    "format_number": [
        "SELECT format_number(1234567.891, '#,##0.00'), format_number(0.5, '0.###'), format_number(12, '000'), format_number(0.256, '#%'), format_number(5, 0), format_number(1234.5, -1), format_number(2.5, 0), format_number(12345678.125BD, 2)",
        "SELECT format_number(n, 1), format_number(n, '#,###.00') FROM VALUES (0.25D), (-1234.55D), (NULL) AS t(n)",
    ],
    "format_string": [
        "SELECT format_string('%5d|%-5s|%05d|%x|%X|%o|%e|%.1f|%b|%%|%n', 3, 'a', 7, 255, 255, 8, 12345.678D, 0.25D, true)",
        "SELECT format_string('%,d %+d %(d %s', 1234567, 5, -5, NULL)",
        "SELECT format_string('%2$s %1$s', 'a', 'b')",
    ],
    "from_csv": [
        "SELECT from_csv(c, 'a STRING, b STRING') FROM VALUES ('x'), ('\"a\"\"b\",c'), (' s , t '), ('\"\",'), ('1,2,3'), ('') AS t(c)",
        "SELECT from_csv('2024-01-02,2024-01-02 03:04:05,true,1.25', 'd DATE, t TIMESTAMP, b BOOLEAN, n DECIMAL(5,2)')",
        "SELECT from_csv('1', 'nonsense')",
        "SELECT from_csv(c, 'a INT, b STRING, c DOUBLE') FROM VALUES ('1,x,2.5'), (',,'), ('z,\"q,r\",1'), (NULL) AS t(c)",
        "SELECT from_csv('1;2', 'a INT, b INT', map('sep', ';'))",
    ],
    "from_json": [
        "SELECT from_json(j, 'a INT, b ARRAY<STRING>') FROM VALUES ('{\"a\":1}'), ('{\"b\":[\"x\",2]}'), ('bad') AS t(j)"
    ],
    "from_unixtime": ["SELECT from_unixtime(s), from_unixtime(s, 'yyyy') FROM VALUES (0L), (-1L), (NULL) AS t(s)"],
    "greatest": [
        "SELECT greatest(a, b, 2), least(a, b, 2) FROM VALUES (1, NULL), (3, 4) AS t(a, b)",
        "SELECT greatest(1)",
    ],
    "hash": ["SELECT hash(a, b), xxhash64(a, b) FROM VALUES (1, 'a'), (NULL, 'bb'), (2, NULL) AS t(a, b)"],
    "hex": ["SELECT hex(a), hex(b) FROM VALUES (17L, 'Az'), (-1L, ''), (NULL, NULL) AS t(a, b)"],
    "int": ["SELECT int('7'), int(2.9), int(true)", "SELECT int('x')"],
    "last_day": [
        "SELECT last_day(d), next_day(d, 'MON') FROM VALUES (DATE'2024-02-09'), (NULL) AS t(d)",
        "SELECT next_day('2024-01-01', 'xx')",
    ],
    "levenshtein": [
        "SELECT levenshtein(a, 'kitten'), levenshtein(a, 'kitten', 2) FROM VALUES ('sitting'), ('kitten'), (NULL) AS t(a)"
    ],
    "listagg": [
        "SELECT listagg(DISTINCT a, ',') WITHIN GROUP (ORDER BY a) FROM VALUES ('b'), ('a'), ('b') AS t(a)",
        "SELECT g, listagg(a, '-') WITHIN GROUP (ORDER BY a DESC) FROM VALUES ('x', 'b'), ('x', 'a'), ('y', NULL) AS t(g, a) GROUP BY g",
        "SELECT listagg(DISTINCT a, ',') FROM VALUES ('b'), ('b') AS t(a)",
    ],
    "locate": [
        "SELECT locate('a', s), locate('a', s, 3), instr(s, 'a'), position('a', s) FROM VALUES ('banana'), ('x'), (NULL) AS t(s)"
    ],
    "log": [
        "SELECT log(a), ln(a), log10(a), log2(a), log1p(a), log(2, a) FROM VALUES (8D), (0D), (-2D), (NULL) AS t(a)"
    ],
    "lpad": [
        "SELECT lpad(s, 4, '*-'), rpad(s, 4, '*-'), lpad(s, 1), lpad(X'01', 3, X'02') FROM VALUES ('ab'), (NULL) AS t(s)"
    ],
    "make_date": ["SELECT make_date(y, 2, 29) FROM VALUES (2024), (NULL) AS t(y)", "SELECT make_date(2023, 2, 29)"],
    "make_timestamp": [
        "SELECT make_timestamp(2024, 1, 2, 3, 4, 5.678, 'Europe/Oslo')",
        "SELECT make_timestamp(2024, 13, 1, 0, 0, 0)",
    ],
    "map_concat": [
        "SELECT map_concat(map(1, 'a'), map(2, 'b'), map()), map_entries(map('k', 1))",
        "SELECT map_concat(map(1, 2), map(1, 3))",
    ],
    "map_from_entries": ["SELECT map_from_entries(a) FROM VALUES (array(struct('k', 1))), (NULL) AS t(a)"],
    "max": [
        "SELECT max(a), min(a) FROM VALUES (array(1, NULL)), (array(1)), (array(1, 5)) AS t(a)",
        "SELECT max(map(1, 2))",
        "SELECT max(struct(a, b)), min(struct(a, b)), max(array(a)), min(b) FROM VALUES (1, 'x'), (2, 'a'), (2, NULL) AS t(a, b)",
    ],
    "max_by": [
        "SELECT max_by(x, y, 2), min_by(x, y, 5) FROM VALUES ('a', 10), ('b', NULL), ('c', 20) AS t(x, y)",
        "SELECT g, max_by(a, b), min_by(a, b) FROM VALUES ('x', 1, 5), ('x', 2, NULL), ('y', 3, 1), ('y', NULL, 4) AS t(g, a, b) GROUP BY g",
    ],
    "median": ["SELECT g, median(a) FROM VALUES ('x', 1), ('x', 4), ('y', NULL) AS t(g, a) GROUP BY g"],
    "months_between": [
        "SELECT months_between(a, DATE'2024-01-31'), months_between(a, '2023-12-15 12:00:00', false) FROM VALUES (DATE'2024-02-29'), (NULL) AS t(a)"
    ],
    "named_struct": ["SELECT named_struct('a', x, 'b', array(x)) FROM VALUES (1), (NULL) AS t(x)"],
    "nullif": [
        "SELECT nullif(a, 1), nvl2(a, 'y', 'n'), ifnull(a, 9), nullifzero(a), zeroifnull(a) FROM VALUES (1), (0), (NULL) AS t(a)"
    ],
    "parse_url": [
        "SELECT parse_url(u, 'HOST'), parse_url(u, 'PATH'), parse_url(u, 'QUERY', 'b'), parse_url(u, 'PROTOCOL'), parse_url(u, 'FILE'),"
        " parse_url(u, 'AUTHORITY'), parse_url(u, 'USERINFO'), parse_url(u, 'REF') FROM VALUES ('https://me:pw@h.example:80/p/q?a=1&b=2#top'), (NULL) AS t(u)"
    ],
    "percentile": [
        "SELECT percentile(DISTINCT a, 0.5), percentile(a, 0.5) FILTER (WHERE a > 1) FROM VALUES (1), (1), (2), (9) AS t(a)",
        "SELECT percentile(a, 0.5, -1) FROM VALUES (1) AS t(a)",
        "SELECT percentile('x', 0.5)",
        "SELECT g, percentile(a, 0.25), percentile(a, array(0.5, 1)) FROM VALUES ('x', 1), ('x', 2), ('x', 10), ('y', NULL) AS t(g, a) GROUP BY g",
        "SELECT percentile(a, 0.5, f) FROM VALUES (1, 1), (2, 5), (3, 1) AS t(a, f)",
        "SELECT percentile(a, 1.5) FROM VALUES (1) AS t(a)",
    ],
    "percentile_approx": [
        "SELECT percentile_approx(a, 0.5), percentile_approx(b, 0.25), percentile_approx(c, 0.5, 10) FROM VALUES (1.25, DATE'2024-01-01', TIMESTAMP'2024-01-01 00:00:00'), (2.5, DATE'2024-01-03', TIMESTAMP'2024-01-02 00:00:00'), (NULL, NULL, NULL) AS t(a, b, c)",
        "SELECT percentile_approx(a, 0.5, 0) FROM VALUES (1) AS t(a)",
        "SELECT percentile_approx(id, 0.5), percentile_approx(id, array(0.1, 0.9), 1000), approx_percentile(id, 0.25, 100) FROM range(101)",
    ],
    "percentile_cont": [
        "SELECT percentile_cont(0.25) WITHIN GROUP (ORDER BY a DESC), percentile_disc(0.25) WITHIN GROUP (ORDER BY a) FROM VALUES (1), (2), (5), (9) AS t(a)"
    ],
    "pmod": [
        "SELECT pmod(-7, -3), pmod(7.5, 2), pmod(-7D, 3D), pmod('7', 4)",
        "SELECT pmod(a, 3), mod(a, 3), a % 3 FROM VALUES (-7), (7), (NULL) AS t(a)",
        "SELECT pmod(1, 0)",
    ],
    "quarter": [
        "SELECT year(d), quarter(d), month(d), day(d), dayofyear(d), weekofyear(d) FROM VALUES (DATE'2021-01-03'), (NULL) AS t(d)"
    ],
    "regexp_extract": [
        "SELECT regexp_extract(s, '(\\\\d+)-(\\\\d+)', 2), regexp_replace(s, '\\\\d', '#') FROM VALUES ('100-200'), ('x'), (NULL) AS t(s)",
        "SELECT regexp_extract('a', '(a)', 3)",
        "SELECT regexp_replace('abc', '(a)(b)', '$2$1')",
        "SELECT regexp_like('a', '(')",
    ],
    "regr_slope": [
        "SELECT regr_slope(y, x), regr_intercept(y, x), regr_r2(y, x), regr_count(y, x), regr_avgx(y, x) FROM VALUES (1, 2), (2, 4), (4, NULL), (7, 5) AS t(y, x)"
    ],
    "round": [
        "SELECT round(a, 1), bround(a, 1), ceil(a), floor(a), rint(a) FROM VALUES (2.25D), (-2.35D), (NULL) AS t(a)"
    ],
    "sequence": [
        "SELECT sequence(DATE'2024-01-01', DATE'2024-03-01', INTERVAL 1 MONTH), sequence(TIMESTAMP'2024-01-31 00:00:00', TIMESTAMP'2024-04-30 00:00:00', INTERVAL 1 MONTH), sequence(DATE'2024-01-03', DATE'2024-01-01')",
        "SELECT sequence(TIMESTAMP'2024-01-01 00:00:00', TIMESTAMP'2024-01-01 02:00:00', INTERVAL 1 HOUR)",
        "SELECT sequence(a, b) FROM VALUES (1, 3), (3, 1), (NULL, 2) AS t(a, b)",
    ],
    "sha2": ["SELECT sha2(a, 224), sha2(a, 0), sha1(a), md5(a), sha2(a, 7) FROM VALUES ('Spark'), (NULL) AS t(a)"],
    "smallint": ["SELECT smallint('7'), smallint(3)", "SELECT smallint(70000)"],
    "split": [
        "SELECT split(s, '[,;]'), split(s, ',', 2), split_part(s, ',', -1) FROM VALUES ('a,b;c,'), (''), (NULL) AS t(s)"
    ],
    "str_to_map": ["SELECT str_to_map(s), str_to_map(s, '&', '=') FROM VALUES ('a:1,b'), ('x=1&y=2'), (NULL) AS t(s)"],
    "string": [
        "SELECT string(1), string(1.50), string(1e10D), string(true), string(DATE'2024-01-01'), string(array(1, NULL)), string(map('a', 1)), string(struct(1, 'x'))"
    ],
    "substring_index": [
        "SELECT substring_index(s, '.', 2), substring_index(s, '.', -1), substring_index(s, '.', 0) FROM VALUES ('a.b.c'), ('x'), (NULL) AS t(s)"
    ],
    "sum": [
        "SELECT sum(a), avg(a), try_sum(a), try_avg(a) FROM VALUES (1.5), (2.25), (NULL) AS t(a)",
        "SELECT sum(a) FROM VALUES (9223372036854775807), (1) AS t(a)",
    ],
    "time": ["SELECT time('12:34:56'), time('01:02')"],
    "timestamp": ["SELECT timestamp('2024-01-02 03:04:05.6'), timestamp(DATE'2024-01-01')", "SELECT timestamp('x')"],
    "tinyint": ["SELECT tinyint('7'), tinyint(3)", "SELECT tinyint(300)"],
    "to_binary": [
        "SELECT to_binary(a, 'utf-8'), to_binary('YWJj', 'base64'), to_binary('0Fa', 'hex') FROM VALUES ('x') AS t(a)",
        "SELECT to_binary('0Fz', 'hex')",
    ],
    "to_char": [
        "SELECT to_char(n, '999'), to_char(n, '000'), to_char(n, '9.9'), to_char(n, '0D00S'), to_char(n, '$99.9PR'), to_char(n, 'S9G999') FROM VALUES (5), (-12), (0), (1234) AS t(n)",
        "SELECT to_char(0.5, '9.99'), to_char(-0.5, 'MI0.9'), to_char(1e3BD, '9,999'), to_char(12.345, '99.99')",
        "SELECT to_char(1, 'x')",
        "SELECT to_char(n, '$9,999.99'), to_char(n, 'S0000.0'), to_char(n, '999PR'), to_char(n, 'MI99G999') FROM VALUES (1234.5), (-7.25), (0), (NULL) AS t(n)",
        "SELECT to_char(DATE'2024-02-09', 'dd MMM yyyy'), to_char(X'0AFF', 'hex'), to_char(X'0AFF', 'base64')",
    ],
    "to_csv": [
        "SELECT to_csv(struct(DATE'2024-01-02', TIMESTAMP'2024-01-02 03:04:05.678', 1.5D, X'41')), to_csv(struct(' a ', 'b\\nc', 'd,e'))",
        "SELECT to_csv(named_struct('a', 1, 'b', 'x,y', 'c', NULL, 'd', 'q\"r', 'e', '')), to_csv(struct(1.5, true), map('sep', ';'))",
    ],
    "to_date": [
        "SELECT to_date(s), to_date(s, 'yyyy-MM-dd'), try_to_date(s, 'dd/MM/yyyy') FROM VALUES ('2024-02-29'), (NULL) AS t(s)",
        "SELECT to_date('2024-13-01')",
    ],
    "to_json": [
        "SELECT to_json(named_struct('a', x, 'b', array(x), 'c', map('k', x), 'd', DATE'2024-01-01')) FROM VALUES (1), (NULL) AS t(x)"
    ],
    "to_number": [
        "SELECT to_number(s, '999,999.99'), try_to_number(s, '$999') FROM VALUES ('1,234.5'), ('12'), ('.5') AS t(s)",
        "SELECT try_to_number('-12', 'S99'), try_to_number('12-', '99MI'), try_to_number('  7', '9'), try_to_number('1234', '99')",
        "SELECT to_number('1', 'q')",
        "SELECT to_number('$1,234.5-', '$9,999.9S'), to_number('<12>', '99PR'), try_to_number('x', '9')",
        "SELECT to_number('abc', '999')",
    ],
    "to_timestamp": [
        "SELECT to_timestamp('09.02.2024 15:04', 'dd.MM.yyyy HH:mm'), to_timestamp('2024-01-01T00:00:00+02:00')",
        "SELECT to_timestamp('x', 'yyyy')",
    ],
    "translate": ["SELECT translate(s, 'abc', '12') FROM VALUES ('aabbcc'), (NULL) AS t(s)"],
    "trunc": ["SELECT trunc(DATE'2024-08-15', f) FROM VALUES ('week'), ('Q'), ('YY'), ('mm'), ('x'), (NULL) AS t(f)"],
    "try_add": [
        "SELECT try_add(a, 1), try_subtract(a, 1), try_multiply(a, 2), try_divide(a, 0), try_mod(a, 0) FROM VALUES (2147483647), (NULL) AS t(a)"
    ],
    "typeof": [
        "SELECT typeof(a), typeof(1.5), typeof(array(map(1, 'x'))), typeof(INTERVAL 1 DAY), typeof(NULL) FROM VALUES (1L) AS t(a)"
    ],
    "unhex": ["SELECT unhex(a) FROM VALUES ('F'), ('616'), ('zz'), (NULL) AS t(a)"],
    "url_decode": [
        "SELECT url_encode(s), url_decode(url_encode(s)) FROM VALUES ('a b&c=é'), (NULL) AS t(s)",
        "SELECT url_decode('%zz')",
        "SELECT try_url_decode('%zz')",
    ],
    "width_bucket": ["SELECT width_bucket(a, 0, 10, 5) FROM VALUES (-1D), (5D), (10D), (NULL) AS t(a)"],
    "add_months": [
        "SELECT add_months(d, n), date_add(d, n), date_sub(d, n), datediff(d, DATE'2024-01-01') FROM VALUES (DATE'2024-01-31', 1), (DATE'2024-02-29', -12), (NULL, 1), (DATE'2024-01-01', NULL) AS t(d, n)"
    ],
    "aggregate": [
        "SELECT aggregate(a, 0, (s, x) -> s + x), aggregate(a, 0, (s, x) -> s + coalesce(x, 0), s -> s * 2) FROM VALUES (array(1, 2)), (array(1, NULL)), (NULL) AS t(a)"
    ],
    "any_value": [
        "SELECT g, any_value(a, true), first(a), last(a), first(a, true), last(a, true) FROM VALUES ('x', 1), ('x', 1), ('y', NULL) AS t(g, a) GROUP BY g"
    ],
    "array_agg": [
        "SELECT g, collect_list(a), sort_array(collect_set(a)) FROM VALUES ('x', 2), ('x', 1), ('x', 2), ('y', NULL) AS t(g, a) GROUP BY g"
    ],
    "array_compact": [
        "SELECT array_compact(a), array_append(a, 9), array_prepend(a, NULL), array_insert(a, 2, 8) FROM VALUES (array(1, NULL, 3)), (array()), (NULL) AS t(a)"
    ],
    "array_contains": [
        "SELECT array_contains(a, 1), array_position(a, 3), array_remove(a, 1), array_size(a) FROM VALUES (array(1, NULL, 3)), (array(2)), (NULL) AS t(a)",
        "SELECT array_contains(array(1), 'x')",
    ],
    "array_distinct": [
        "SELECT array_distinct(a), array_union(a, b), array_intersect(a, b), array_except(a, b), arrays_overlap(a, b) FROM VALUES (array(1, 1, NULL), array(1, 2)), (array(3), NULL), (array(NULL, 5), array(6)) AS t(a, b)"
    ],
    "array_join": [
        "SELECT array_join(a, ','), array_join(a, ',', 'null'), array_max(a), array_min(a) FROM VALUES (array('b', NULL, 'a')), (array()), (NULL) AS t(a)"
    ],
    "array_repeat": [
        "SELECT array_repeat(a, n), repeat(a, n) FROM VALUES ('x', 2), ('y', 0), ('z', -1), (NULL, 2) AS t(a, n)"
    ],
    "ascii": [
        "SELECT ascii(s), char(ascii(s)), bit_length(s), octet_length(s) FROM VALUES ('A'), ('é'), (''), (NULL) AS t(s)"
    ],
    "avg": [
        "SELECT g, avg(a), mean(b), avg(c) FROM VALUES ('x', 1, 1.10, '2'), ('x', 2, 2.20, '3'), ('y', NULL, NULL, NULL) AS t(g, a, b, c) GROUP BY g"
    ],
    "bin": ["SELECT bin(a), hex(a), bit_count(a), a & 6, a | 1, a ^ 3, ~a FROM VALUES (13L), (-1L), (NULL) AS t(a)"],
    "bit_and": ["SELECT bit_and(a), bit_or(a), bit_xor(a) FROM VALUES (3), (5), (NULL) AS t(a)"],
    "bit_get": [
        "SELECT bit_get(a, 0), getbit(a, 2), shiftleft(a, 2), shiftright(a, 1), shiftrightunsigned(a, 1) FROM VALUES (11), (-1), (NULL) AS t(a)",
        "SELECT bit_get(11, 64)",
    ],
    "bool_and": [
        "SELECT g, bool_and(a), bool_or(a), every(a), some(a) FROM VALUES ('x', true), ('x', false), ('y', NULL) AS t(g, a) GROUP BY g"
    ],
    "btrim": [
        "SELECT btrim(s), trim(s), ltrim(s), rtrim(s), trim(BOTH 'x' FROM s) FROM VALUES ('  xax '), ('xx'), (NULL) AS t(s)"
    ],
    "cardinality": ["SELECT cardinality(a), size(m) FROM VALUES (array(1, 2), map('a', 1)), (NULL, NULL) AS t(a, m)"],
    "cast": [
        "SELECT cast('10' AS INT), cast(1.7 AS INT), cast('2024-01-01' AS DATE), cast(1 AS STRING), cast(array(1) AS ARRAY<STRING>), try_cast('x' AS INT)",
        "SELECT cast('x' AS DOUBLE)",
    ],
    "ceil": [
        "SELECT ceil(a), floor(a), ceil(a, 1), floor(a, 1), ceil(b), floor(b) FROM VALUES (2.25, -2.5D), (-2.25, 3D), (NULL, NULL) AS t(a, b)"
    ],
    "chr": ["SELECT chr(a), char(a) FROM VALUES (65), (233), (256), (-1), (NULL) AS t(a)"],
    "coalesce": [
        "SELECT coalesce(a, b, 0), nvl(a, b), isnull(a), isnotnull(b), a <=> b FROM VALUES (1, NULL), (NULL, 2.5), (NULL, NULL) AS t(a, b)"
    ],
    "concat": [
        "SELECT concat(a, b), concat_ws('-', a, b), concat(array(a), array(b)), a || b FROM VALUES ('x', 'y'), ('x', NULL) AS t(a, b)"
    ],
    "contains": [
        "SELECT contains(a, 'b'), startswith(a, 'a'), endswith(a, 'c'), like(a, 'a%'), ilike(a, 'A%') FROM VALUES ('abc'), (''), (NULL) AS t(a)"
    ],
    "count": [
        "SELECT g, count(*), count(a), count(DISTINCT a), count(a, g) FROM VALUES ('x', 1), ('x', 1), ('y', NULL) AS t(g, a) GROUP BY g"
    ],
    "covar_pop": [
        "SELECT covar_pop(a, b), covar_samp(a, b), corr(a, b), stddev(a), stddev_pop(a), variance(a), var_pop(a), skewness(a), kurtosis(a) FROM VALUES (1, 2), (2, 3), (4, 9), (NULL, 1) AS t(a, b)"
    ],
    "current_catalog": ["SELECT current_catalog(), current_schema(), current_database()"],
    "date_add": [
        "SELECT date_add(DATE'2024-02-28', 2), date_add('2024-02-28', 2), dateadd(DAY, 1, DATE'2024-02-28'), date_add('x', 1)"
    ],
    "date_diff": [
        "SELECT date_diff(MONTH, DATE'2024-01-31', DATE'2024-03-01'), datediff(HOUR, TIMESTAMP'2024-01-01 00:00:00', TIMESTAMP'2024-01-02 01:30:00'), timestampadd(MONTH, 1, TIMESTAMP'2024-01-31 10:00:00')"
    ],
    "decode": [
        "SELECT decode(a, 1, 'one', 2, 'two', 'many'), decode(a, NULL, 'none') FROM VALUES (1), (3), (NULL) AS t(a)",
        "SELECT decode(X'FF', 'nope')",
    ],
    "div": [
        "SELECT a div b, a / b, a % b, try_divide(a, b) FROM VALUES (7, 2), (-7, 2), (NULL, 1) AS t(a, b)",
        "SELECT 1 div 0",
    ],
    "element_at": [
        "SELECT element_at(a, 1), element_at(a, -1), try_element_at(a, 9), get(a, 0), a[0] FROM VALUES (array(1, 2)), (NULL) AS t(a)",
        "SELECT element_at(array(1), 3)",
        "SELECT element_at(map('a', 1), 'b')",
    ],
    "encode": [
        "SELECT encode(a, 'utf-8'), hex(encode(a, 'UTF-16BE')), decode(encode(a, 'utf-8'), 'utf-8') FROM VALUES ('aé'), (NULL) AS t(a)"
    ],
    "equal_null": ["SELECT equal_null(a, b), a = b, a <> b FROM VALUES (1, 1), (1, NULL), (NULL, NULL) AS t(a, b)"],
    "exists": [
        "SELECT exists(a, x -> x > 1), forall(a, x -> x > 1), filter(a, x -> x > 1), transform(a, (x, i) -> x * i) FROM VALUES (array(1, 2)), (array(NULL)), (NULL) AS t(a)"
    ],
    "exp": [
        "SELECT exp(a), expm1(a), sqrt(a), cbrt(a), pow(a, 2), sign(a), degrees(a), radians(a) FROM VALUES (4D), (-1D), (NULL) AS t(a)"
    ],
    "explode": [
        "SELECT g, explode(a) FROM VALUES (1, array('x', 'y')), (2, array()), (3, NULL) AS t(g, a)",
        "SELECT g, explode_outer(a) FROM VALUES (1, array('x')), (3, NULL) AS t(g, a)",
    ],
    "extract": [
        "SELECT extract(YEAR FROM t), extract(DOY FROM t), extract(WEEK FROM t), extract(SECOND FROM t), extract(DOW FROM t) FROM VALUES (TIMESTAMP'2024-12-31 23:59:59.25'), (NULL) AS x(t)"
    ],
    "find_in_set": [
        "SELECT find_in_set(a, 'x,y,z'), find_in_set('y', a) FROM VALUES ('y'), ('x,y'), (''), (NULL) AS t(a)"
    ],
    "first_value": [
        "SELECT a, first_value(a) OVER (ORDER BY a), last_value(a) OVER (ORDER BY a), nth_value(a, 2) OVER (ORDER BY a), lag(a) OVER (ORDER BY a), lead(a, 1, 9) OVER (ORDER BY a) FROM VALUES (1), (2), (NULL) AS t(a)"
    ],
    "flatten": [
        "SELECT flatten(a) FROM VALUES (array(array(1), array(2, NULL))), (array(array(1), NULL)), (NULL) AS t(a)"
    ],
    "from_utc_timestamp": [
        "SELECT from_utc_timestamp(t, 'Europe/Oslo'), to_utc_timestamp(t, 'Asia/Tokyo') FROM VALUES (TIMESTAMP'2024-07-01 12:00:00'), (NULL) AS x(t)",
        "SELECT from_utc_timestamp(TIMESTAMP'2024-07-01 12:00:00', 'Nowhere/Land')",
    ],
    "get_json_object": [
        "SELECT get_json_object(j, '$.a'), get_json_object(j, '$.b[1]'), get_json_object(j, '$.b[*].c'), get_json_object(j, '$') FROM VALUES ('{\"a\":\"x\",\"b\":[1,{\"c\":2}]}'), ('no'), (NULL) AS t(j)"
    ],
    "hour": [
        "SELECT hour(t), minute(t), second(t), date_trunc('HOUR', t), unix_timestamp(t), unix_millis(t) FROM VALUES (TIMESTAMP'2024-02-09 15:04:05.678'), (NULL) AS x(t)"
    ],
    "if": [
        "SELECT if(a > 1, 'y', 'n'), nvl2(a, 1, 0), CASE a WHEN 1 THEN 'one' END FROM VALUES (1), (2), (NULL) AS t(a)"
    ],
    "initcap": [
        "SELECT initcap(s), lower(s), upper(s), reverse(s), length(s) FROM VALUES ('hello wORLD-foo'), (''), (NULL) AS t(s)"
    ],
    "json_tuple": ["SELECT json_tuple(j, 'a', 'b') FROM VALUES ('{\"a\":1,\"b\":[2]}'), ('no'), (NULL) AS t(j)"],
    "lcase": ["SELECT lcase(s), ucase(s), left(s, 2), right(s, 2), substr(s, -2) FROM VALUES ('AbC'), (NULL) AS t(s)"],
    "luhn_check": ["SELECT luhn_check(s) FROM VALUES ('8112189876'), ('79927398713'), ('x1'), (''), (NULL) AS t(s)"],
    "make_dt_interval": ["SELECT make_dt_interval(d, 2, 3, 4.5) FROM VALUES (1), (NULL) AS t(d)"],
    "map": [
        "SELECT map('a', x, 'b', 2), map_keys(map('a', x)), map_values(map('a', x)), map('a', x)['a'] FROM VALUES (1), (NULL) AS t(x)",
        "SELECT map('a', 1, 'a', 2)",
    ],
    "map_filter": [
        "SELECT map_filter(m, (k, v) -> v > 1), transform_keys(m, (k, v) -> upper(k)), transform_values(m, (k, v) -> v + 1) FROM VALUES (map('a', 1, 'b', 2)), (NULL) AS t(m)"
    ],
    "mask": [
        "SELECT mask(s, lowerChar => '?', otherChar => '_') FROM VALUES ('aB-1') AS t(s)",
        "SELECT mask(s), mask(s, '*', '.', '#', '-') FROM VALUES ('Ab1-é'), (NULL) AS t(s)",
    ],
    "md5": ["SELECT md5(s), sha(s), crc32(s), hex(unhex('4D')) FROM VALUES ('a'), (''), (NULL) AS t(s)"],
    "min": [
        "SELECT g, min(a), max(a), min(b), max(b) FROM VALUES ('x', 1, 'b'), ('x', NULL, 'a'), ('y', NULL, NULL) AS t(g, a, b) GROUP BY g"
    ],
    "mode": [
        "SELECT mode() WITHIN GROUP (ORDER BY a DESC) FROM VALUES (1), (2) AS t(a)",
        "SELECT g, mode(a) FROM VALUES ('x', 1), ('x', 2), ('x', 2), ('y', NULL) AS t(g, a) GROUP BY g",
    ],
    "nanvl": ["SELECT nanvl(a, 0), isnan(a), a = a, greatest(a, 1D) FROM VALUES (double('nan')), (1D), (NULL) AS t(a)"],
    "negative": [
        "SELECT negative(a), positive(a), -a, abs(a) FROM VALUES (1), (-2), (NULL) AS t(a)",
        "SELECT negative(-2147483648)",
    ],
    "now": ["SELECT now() <= current_timestamp(), current_date() = to_date(now())"],
    "ntile": [
        "SELECT a, ntile(2) OVER (ORDER BY a), rank() OVER (ORDER BY a), dense_rank() OVER (ORDER BY a), percent_rank() OVER (ORDER BY a), cume_dist() OVER (ORDER BY a), row_number() OVER (ORDER BY a) FROM VALUES (1), (2), (2), (3) AS t(a)"
    ],
    "nvl": ["SELECT nvl(a, 'x'), nvl(b, 1) FROM VALUES ('a', NULL), (NULL, 2) AS t(a, b)"],
    "overlay": [
        "SELECT overlay(s, '_', 2), overlay(s, 'xyz', 2, 0), overlay(s PLACING 'AB' FROM 3 FOR 1) FROM VALUES ('Spark'), (''), (NULL) AS t(s)"
    ],
    "posexplode": ["SELECT g, posexplode(a) FROM VALUES (1, array('x', 'y')), (2, NULL) AS t(g, a)"],
    "pow": ["SELECT pow(2, a), power(a, 0.5), exp(a), log10(100) FROM VALUES (3), (-1), (NULL) AS t(a)"],
    "quote": ["SELECT quote(s) FROM VALUES ('Don\\'t'), (NULL) AS t(s)"],
    "regexp_count": [
        "SELECT regexp_count(s, '\\\\d+'), regexp_substr(s, '\\\\d+'), regexp_instr(s, '\\\\d+'), regexp_extract_all(s, '(\\\\d)', 1), regexp_like(s, '\\\\d') FROM VALUES ('a1b22'), (''), (NULL) AS t(s)"
    ],
    "regexp_replace": [
        "SELECT regexp_replace(s, '(\\\\w)(\\\\d)', '$2$1'), regexp_replace(s, 'b', 'X', 3), regexp_replace(s, '', '-') FROM VALUES ('a1b2'), (NULL) AS t(s)"
    ],
    "replace": [
        "SELECT replace(s, 'a', 'bb'), replace(s, 'a'), translate(s, 'ab', 'b') FROM VALUES ('banana'), (NULL) AS t(s)"
    ],
    "schema_of_json": ['SELECT schema_of_json(\'{"a":[1,2.5],"b":{"c":null},"d":true}\')'],
    "sentences": [
        "SELECT sentences('It''s 3.5 km, e.g. here.  What? \"Yes\"')",
        "SELECT sentences(s) FROM VALUES ('One two. Three? Yes, four!'), (''), (NULL) AS t(s)",
    ],
    "slice": [
        "SELECT slice(a, 2, 2), slice(a, -2, 2), slice(a, 5, 1) FROM VALUES (array(1, 2, 3)), (NULL) AS t(a)",
        "SELECT slice(array(1), 0, 1)",
    ],
    "sort_array": [
        "SELECT sort_array(a), sort_array(a, false), array_sort(a, (l, r) -> r - l) FROM VALUES (array(2, 3, 1)), (NULL) AS t(a)"
    ],
    "soundex": [
        "SELECT soundex(s), levenshtein(s, 'Miller'), space(2) || s FROM VALUES ('Miller'), ('Ähm'), (''), (NULL) AS t(s)"
    ],
    "split_part": [
        "SELECT split_part(s, '-', 1), split_part(s, '-', -1), split_part(s, '-', 5) FROM VALUES ('a-b-c'), (''), (NULL) AS t(s)",
        "SELECT split_part('a', '-', 0)",
    ],
    "stack": ["SELECT stack(2, a, b, 3) FROM VALUES (1, 2), (NULL, 4) AS t(a, b)"],
    "struct": ["SELECT struct(a, b), struct(a AS x, 1), struct(a, b).a FROM VALUES (1, 'x'), (NULL, NULL) AS t(a, b)"],
    "substring": [
        "SELECT substring(s, 2), substring(s, -2, 1), substring(s, 0, 2), substring(s FROM 2 FOR 2), left(s, 0) FROM VALUES ('Spark'), ('é日x'), (NULL) AS t(s)"
    ],
    "timestamp_seconds": [
        "SELECT timestamp_seconds(a), timestamp_millis(a), timestamp_micros(a) FROM VALUES (1230219000), (-1), (NULL) AS t(a)",
        "SELECT timestamp_seconds(1230219000.123)",
    ],
    "to_timestamp_ntz": [
        "SELECT to_timestamp_ntz('2024-03-31 02:30:00'), to_timestamp_ntz('31.03.2024', 'dd.MM.yyyy'), to_timestamp_ltz('2024-01-01')"
    ],
    "to_unix_timestamp": [
        "SELECT to_unix_timestamp(s, 'yyyy-MM-dd'), unix_timestamp(s, 'yyyy-MM-dd') FROM VALUES ('2024-01-01'), (NULL) AS t(s)",
        "SELECT unix_timestamp('x')",
    ],
    "try_element_at": [
        "SELECT try_element_at(m, 'a'), try_element_at(m, 'z') FROM VALUES (map('a', 1)), (NULL) AS t(m)"
    ],
    "try_sum": [
        "SELECT g, try_sum(a), try_avg(a), sum(DISTINCT b) FROM VALUES ('x', 9223372036854775807, 1), ('x', 1, 1), ('y', NULL, 2) AS t(g, a, b) GROUP BY g"
    ],
    "try_to_timestamp": [
        "SELECT try_to_timestamp(s), try_to_timestamp(s, 'dd/MM/yyyy'), try_to_date(s) FROM VALUES ('2024-02-30'), ('29/02/2024'), (NULL) AS t(s)"
    ],
    "unbase64": [
        "SELECT unbase64('YQ'), unbase64('Y W J j')",
        "SELECT unbase64(s) FROM VALUES ('YWJj'), (''), (NULL) AS t(s)",
    ],
    "unix_date": [
        "SELECT unix_date(d), date_from_unix_date(unix_date(d)), last_day(d), trunc(d, 'MM') FROM VALUES (DATE'1969-12-31'), (NULL) AS t(d)"
    ],
    "window": [
        "SELECT window.start, window.end, count(*) FROM VALUES (TIMESTAMP'2024-01-01 00:07:00'), (TIMESTAMP'1969-12-31 23:58:00') AS t(b) GROUP BY window(b, '10 minutes', '4 minutes', '1 minute') ORDER BY 1",
        "SELECT window(b, '1 hour') AS w, sum(v) FROM VALUES ('2024-01-01 00:07:00', 1), ('2024-01-01 00:59:59', 2) AS t(b, v) GROUP BY window(b, '1 hour')",
        "SELECT count(*) FROM VALUES (TIMESTAMP'2024-01-01 00:07:00') AS t(b) GROUP BY window(b, 'x')",
        "SELECT window.start, count(*), sum(v) FROM VALUES (TIMESTAMP'2024-01-01 00:01:00', 1), (TIMESTAMP'2024-01-01 00:04:00', 2), (NULL, 4) AS t(b, v) GROUP BY window(b, '3 minutes', '3 minutes', '1 minute') ORDER BY 1",
    ],
    "xxhash64": [
        "SELECT xxhash64(a), hash(a), xxhash64(b) FROM VALUES ('Spark', array(1, 2)), (NULL, NULL) AS t(a, b)"
    ],
    "schema_of_csv": [
        "SELECT schema_of_csv('1,2.5,true,2024-01-01,x,3000000000,'), schema_of_csv('1|a', map('sep', '|'))"
    ],
    "session_window": [
        "SELECT session_window.start, session_window.end, count(*) FROM VALUES (TIMESTAMP'2024-01-01 00:00:00'), (TIMESTAMP'2024-01-01 00:05:00'), (TIMESTAMP'2024-01-01 00:10:01'), (NULL) AS t(b) GROUP BY session_window(b, '5 minutes') ORDER BY 1"
    ],
    "time_bucket": [
        "SELECT time_bucket(INTERVAL '1' DAY, t), time_bucket(INTERVAL '3' MONTH, t), time_bucket(INTERVAL '7' DAY, t, TIMESTAMP'2024-01-03 00:00:00') FROM VALUES (TIMESTAMP'1969-11-30 12:00:00'), (TIMESTAMP'2024-02-29 23:59:59'), (NULL) AS x(t)"
    ],
    "try_multiply": [
        "SELECT try_multiply(INTERVAL '3' DAY, 1.5), try_multiply(2, INTERVAL '1 02:03:04' DAY TO SECOND), try_divide(INTERVAL '1' DAY, 7), try_divide(INTERVAL '1' DAY, 0)",
        "SELECT INTERVAL '1' DAY / 0",
    ],
    "histogram_numeric": [
        "SELECT histogram_numeric(a, 2) FROM VALUES (1D), (2D), (10D), (11D), (12D) AS t(a)",
        "SELECT g, histogram_numeric(a, 3) FROM VALUES ('x', 1), ('y', NULL) AS t(g, a) GROUP BY g",
    ],
    "percentile_disc": [
        "SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY a DESC), percentile_disc(0) WITHIN GROUP (ORDER BY a), percentile_disc(1) WITHIN GROUP (ORDER BY a), percentile_cont(0.1) WITHIN GROUP (ORDER BY a) FROM VALUES (1), (2), (4), (8), (NULL) AS t(a)"
    ],
    "make_interval": [
        "SELECT CAST(make_interval(0, -1, 0, 2, -3, 0, -1.5) AS STRING), CAST(make_interval() AS STRING), CAST(make_interval(0, 0, 0, 0, 25) AS STRING)"
    ],
    "validate_utf8": ["SELECT validate_utf8(X'80')"],
    "xpath": [
        "SELECT xpath('<a><b x=\"1\">1</b><b x=\"2\">t&amp;u</b></a>', '//b/@x'), xpath('<a><b>1</b></a>', 'a/c'), xpath(NULL, 'a')",
    ],
    "xpath_string": [
        "SELECT xpath_string('<a><b id=\"1\">x</b><b id=\"2\">y</b></a>', 'a/b[@id=\"2\"]'), xpath_string('<a/>', 'b'), xpath_string('<a><b>1</b><b>2</b></a>', 'a/b[last()]'), xpath_string('<a>p<b>q</b></a>', 'concat(a, \"-\", name(a/b))')"
    ],
    "xpath_double": [
        "SELECT xpath_double('<a>x</a>', 'a'), xpath_int('<a>x</a>', 'a'), xpath_double('<a><b>2</b></a>', 'a/b * 3 div 4'), xpath_long('<a><b/><b/></a>', 'count(a/b)')"
    ],
    "map_contains_key": [
        "SELECT map_contains_key(m, 'a'), map_contains_key(m, NULL) FROM VALUES (map('a', 1)), (NULL) AS t(m)"
    ],
    "vector_norm": [
        "SELECT vector_norm(array(3F, 4F)), vector_l2_distance(array(1F, 2F), array(4F, 6F)), vector_cosine_similarity(array(0F), array(1F)), vector_normalize(array(0F, 0F))",
        "SELECT vector_inner_product(array(1F), array(1F, 2F))",
        "SELECT vector_norm(array(1F), 3F)",
    ],
    "bitmap_count": [
        "SELECT bitmap_count(bitmap_construct_agg(bitmap_bit_position(a))) FROM VALUES (1), (40000), (NULL) AS t(a)"
    ],
    "regr_r2": [
        "SELECT g, regr_slope(y, x), regr_sxy(y, x), regr_syy(y, x), regr_count(y, x) FROM VALUES ('a', 1, 1), ('a', 3, 2), ('b', 1, NULL) AS t(g, y, x) GROUP BY g"
    ],
    "try_make_interval": ["SELECT CAST(try_make_interval(1, 2) AS STRING)"],
    "collation": ["SELECT collation(NULL)", "SELECT collation(1)"],
}

//! Generates the server trait of the Spark Connect service over the message types of Apache Spark's own crate, which
//! brings a client only.

use tonic_build::manual::{Builder, Method, Service};

/// What a call streams.
#[derive(Clone, Copy)]
enum Streams {
    Neither,
    Requests,
    Responses,
}

use Streams::{Neither, Requests, Responses};

const METHODS: [(&str, &str, &str, &str, Streams); 12] = [
    ("execute_plan", "ExecutePlan", "ExecutePlanRequest", "ExecutePlanResponse", Responses),
    ("analyze_plan", "AnalyzePlan", "AnalyzePlanRequest", "AnalyzePlanResponse", Neither),
    ("config", "Config", "ConfigRequest", "ConfigResponse", Neither),
    ("add_artifacts", "AddArtifacts", "AddArtifactsRequest", "AddArtifactsResponse", Requests),
    ("artifact_status", "ArtifactStatus", "ArtifactStatusesRequest", "ArtifactStatusesResponse", Neither),
    ("interrupt", "Interrupt", "InterruptRequest", "InterruptResponse", Neither),
    ("reattach_execute", "ReattachExecute", "ReattachExecuteRequest", "ExecutePlanResponse", Responses),
    ("release_execute", "ReleaseExecute", "ReleaseExecuteRequest", "ReleaseExecuteResponse", Neither),
    ("release_session", "ReleaseSession", "ReleaseSessionRequest", "ReleaseSessionResponse", Neither),
    ("fetch_error_details", "FetchErrorDetails", "FetchErrorDetailsRequest", "FetchErrorDetailsResponse", Neither),
    ("clone_session", "CloneSession", "CloneSessionRequest", "CloneSessionResponse", Neither),
    ("get_status", "GetStatus", "GetStatusRequest", "GetStatusResponse", Neither),
];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // pyo3 links with no libpython, because the extension module must not; the test binaries must.
    const ARGUMENTS: &str = "SHEETBEND_TEST_LINK_ARGS";
    println!("cargo::rerun-if-env-changed={ARGUMENTS}");
    for argument in std::env::var(ARGUMENTS).unwrap_or_default().split_whitespace() {
        println!("cargo::rustc-link-arg-tests={argument}");
    }
    let service = METHODS
        .into_iter()
        .fold(Service::builder().name("SparkConnectService").package("spark.connect"), |s, m| s.method(method(m)));
    Builder::new().build_client(false).compile(&[service.build()]);
}

fn method((name, route, input, output, streams): (&str, &str, &str, &str, Streams)) -> Method {
    let method = Method::builder()
        .name(name)
        .route_name(route)
        .input_type(format!("spark_connect_proto::{input}"))
        .output_type(format!("spark_connect_proto::{output}"))
        .codec_path("crate::codec::ConnectCodec");
    match streams {
        Neither => method,
        Requests => method.client_streaming(),
        Responses => method.server_streaming(),
    }
    .build()
}

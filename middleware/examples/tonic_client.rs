//! A gRPC client sends a session's token with each call, from an interceptor, which can't await.
//!
//! The gRPC service is one of your own: it verifies the token and knows the workspace that calls. It runs in this process, and
//! Synerise is the emulator. The messages and the service are written by hand, so that the example needs no `protoc`.

#![allow(clippy::print_stdout, reason = "it shows what it does")]

use std::convert::Infallible;
use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::uri::PathAndQuery;
use synerise_auth::verify::Verifier;
use synerise_auth::{ApiKey, Client, WorkspaceSession};
use synerise_auth_emulator::Emulator;
use tonic::body::Body;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::server::{NamedService, UnaryService};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;
use tower_service::Service;

const COUNT: &str = "/shop.Clients/Count";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let emulator = Emulator::start().await?;
    let client = Client::builder().base_url(emulator.base_url()).build()?;
    let workspace = client.workspace(ApiKey::new(&emulator.workspace().workspace_api_key)?);

    let incoming = TcpIncoming::bind(([127, 0, 0, 1], 0).into())?;
    let address = incoming.local_addr()?;
    let service = ClientsService(client.verifier());
    tokio::spawn(
        Server::builder()
            .add_service(service)
            .serve_with_incoming(incoming),
    );
    let channel = Endpoint::from_shared(format!("http://{address}"))?
        .connect()
        .await?;

    // Nobody has logged in yet, and an interceptor can't wait for it.
    let early = count(&channel, workspace.clone()).await;
    println!("1. before the first login: {}", outcome(&early));

    // A service does this once, when it starts. The guard refreshes the token from then on.
    let token = workspace.token().await?;
    let _guard = workspace.keep_alive()?;
    println!("2. logged in: a token that is valid for {:?}", token.lifetime());

    let answer = count(&channel, workspace).await;
    println!("3. called with the token: {}", outcome(&answer));

    let answer = call(tonic::client::Grpc::new(channel)).await;
    println!("4. called without a token: {}", outcome(&answer));
    Ok(())
}

/// Puts the session's token on each call.
#[derive(Clone)]
struct SendToken(WorkspaceSession);

impl Interceptor for SendToken {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let Some(token) = self.0.cached_token() else {
            return Err(Status::unavailable("there is no token right now"));
        };
        let value = MetadataValue::<Ascii>::try_from(token.header().as_bytes());
        let mut value = value.map_err(|_| Status::internal("the token is not ASCII"))?;
        value.set_sensitive(true);
        request.metadata_mut().insert("authorization", value);
        Ok(request)
    }
}

async fn count(channel: &Channel, session: WorkspaceSession) -> Result<CountReply, Status> {
    let service = InterceptedService::new(channel.clone(), SendToken(session));
    call(tonic::client::Grpc::new(service)).await
}

/// What `tonic-build` would generate for a client.
async fn call<S>(mut grpc: tonic::client::Grpc<S>) -> Result<CountReply, Status>
where
    S: tonic::client::GrpcService<Body>,
    S::ResponseBody: http_body::Body<Data = bytes::Bytes> + Send + 'static,
    <S::ResponseBody as http_body::Body>::Error: Into<Box<dyn Error + Send + Sync>> + Send,
{
    let ready = grpc.ready().await;
    ready.map_err(|_| Status::unavailable("the service can't be reached"))?;
    let codec = ProstCodec::<CountRequest, CountReply>::default();
    let path = PathAndQuery::from_static(COUNT);
    let reply = grpc.unary(Request::new(CountRequest {}), path, codec).await?;
    Ok(reply.into_inner())
}

fn outcome(answer: &Result<CountReply, Status>) -> String {
    match answer {
        Ok(reply) => format!("{} clients of workspace {}", reply.count, reply.workspace),
        Err(status) => format!("{:?}, {}", status.code(), status.message()),
    }
}

#[derive(Clone, PartialEq, prost::Message)]
struct CountRequest {}

#[derive(Clone, PartialEq, prost::Message)]
struct CountReply {
    #[prost(uint64, tag = "1")]
    count: u64,
    #[prost(string, tag = "2")]
    workspace: String,
}

/// What `tonic-build` would generate for a server, and its one method.
#[derive(Clone)]
struct ClientsService(Verifier);

impl NamedService for ClientsService {
    const NAME: &'static str = "shop.Clients";
}

type BoxFuture<T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send>>;

impl Service<http::Request<Body>> for ClientsService {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let service = self.clone();
        Box::pin(async move {
            let codec = ProstCodec::<CountReply, CountRequest>::default();
            Ok(tonic::server::Grpc::new(codec).unary(service, request).await)
        })
    }
}

impl UnaryService<CountRequest> for ClientsService {
    type Response = CountReply;
    type Future = BoxFuture<Response<CountReply>, Status>;

    fn call(&mut self, request: Request<CountRequest>) -> Self::Future {
        let verifier = self.0.clone();
        Box::pin(async move {
            let token = request.metadata().get("authorization");
            let Some(token) = token.and_then(|token| token.to_str().ok()) else {
                return Err(Status::unauthenticated("there is no token"));
            };
            let claims = verifier.verify(token).await;
            let claims = claims.map_err(|error| Status::unauthenticated(error.kind().as_str()))?;
            let workspace = claims
                .workspace_id
                .map_or_else(|| "?".to_owned(), |id| id.to_string());
            Ok(Response::new(CountReply { count: 3, workspace }))
        })
    }
}

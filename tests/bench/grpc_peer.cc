// The peer of bench_rpc: gRPC C++ with its asynchronous server, and the messages of Isobar.
//
//     grpc_peer server PORT BODY_FILE    answers GetVm with the GetVmResponse in the file
//     grpc_peer client PORT ID           measures, prints "p50_us calls_per_s"
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "isobar/v1/vm.grpc.pb.h"

using isobar::v1::GetVmRequest;
using isobar::v1::GetVmResponse;
using isobar::v1::VmService;
using Clock = std::chrono::steady_clock;

constexpr int kOneByOne = 3000;
constexpr int kConnections = 64;
constexpr auto kBurst = std::chrono::milliseconds(500);

// One call on the server: waits, answers, waits again with a fresh context.
struct ServerCall {
    VmService::AsyncService *service;
    grpc::ServerCompletionQueue *queue;
    const GetVmResponse *answer;
    std::unique_ptr<grpc::ServerContext> context;
    GetVmRequest request;
    std::unique_ptr<grpc::ServerAsyncResponseWriter<GetVmResponse>> writer;
    bool answered = false;

    void Wait()
    {
        answered = false;
        context = std::make_unique<grpc::ServerContext>();
        writer = std::make_unique<grpc::ServerAsyncResponseWriter<GetVmResponse>>(context.get());
        service->RequestGetVm(context.get(), &request, writer.get(), queue, queue, this);
    }

    void Proceed()
    {
        if (answered) {
            Wait();
            return;
        }
        answered = true;
        writer->Finish(*answer, grpc::Status::OK, this);
    }
};

static int Serve(const std::string &port, const char *path)
{
    std::ifstream file(path, std::ios::binary);
    std::string body((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    GetVmResponse answer;
    if (!answer.ParseFromString(body))
        return 1;
    VmService::AsyncService service;
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:" + port, grpc::InsecureServerCredentials());
    builder.RegisterService(&service);
    auto queue = builder.AddCompletionQueue();
    auto server = builder.BuildAndStart();
    std::vector<ServerCall> calls(kConnections * 2);
    for (auto &call : calls) {
        call.service = &service;
        call.queue = queue.get();
        call.answer = &answer;
        call.Wait();
    }
    void *tag;
    bool ok;
    while (queue->Next(&tag, &ok))
        if (ok)
            static_cast<ServerCall *>(tag)->Proceed();
    return 0;
}

static std::unique_ptr<VmService::Stub> Connect(const std::string &port, int number)
{
    // An argument of its own keeps gRPC from sharing one connection among the channels.
    grpc::ChannelArguments arguments;
    arguments.SetInt("isobar.bench.connection", number);
    return VmService::NewStub(grpc::CreateCustomChannel(
        "127.0.0.1:" + port, grpc::InsecureChannelCredentials(), arguments));
}

static double OneByOne(VmService::Stub *stub, const GetVmRequest &request)
{
    std::vector<double> times;
    for (int i = 0; i < kOneByOne; i++) {
        grpc::ClientContext context;
        GetVmResponse response;
        auto start = Clock::now();
        if (!stub->GetVm(&context, request, &response).ok())
            return -1;
        times.push_back(std::chrono::duration<double, std::micro>(Clock::now() - start).count());
    }
    std::sort(times.begin(), times.end());
    return times[times.size() / 2];
}

struct ClientCall {
    std::unique_ptr<VmService::Stub> stub;
    std::unique_ptr<grpc::ClientContext> context;
    std::unique_ptr<grpc::ClientAsyncResponseReader<GetVmResponse>> reader;
    GetVmResponse response;
    grpc::Status status;

    void Start(const GetVmRequest &request, grpc::CompletionQueue *queue)
    {
        context = std::make_unique<grpc::ClientContext>();
        reader = stub->AsyncGetVm(context.get(), request, queue);
        reader->Finish(&response, &status, this);
    }
};

static double Burst(const std::string &port, const GetVmRequest &request)
{
    grpc::CompletionQueue queue;
    std::vector<ClientCall> calls(kConnections);
    int number = 1;
    for (auto &call : calls) {
        call.stub = Connect(port, number++);
        call.Start(request, &queue);
    }
    void *tag;
    bool ok;
    // Every connection has to stand before the clock runs.
    for (int i = 0; i < kConnections && queue.Next(&tag, &ok); i++)
        static_cast<ClientCall *>(tag)->Start(request, &queue);
    auto start = Clock::now();
    long done = 0;
    while (Clock::now() - start < kBurst && queue.Next(&tag, &ok)) {
        auto *call = static_cast<ClientCall *>(tag);
        if (!call->status.ok())
            return -1;
        done++;
        call->Start(request, &queue);
    }
    double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    for (int i = 0; i < kConnections; i++)
        queue.Next(&tag, &ok);
    return static_cast<double>(done) / seconds;
}

int main(int argc, char **argv)
{
    if (argc != 4)
        return 2;
    std::string port = argv[2];
    if (std::string(argv[1]) == "server")
        return Serve(port, argv[3]);
    GetVmRequest request;
    request.set_cloud("box");
    request.set_id(argv[3]);
    auto stub = Connect(port, 0);
    OneByOne(stub.get(), request);
    double p50 = OneByOne(stub.get(), request);
    std::printf("%.2f %.0f\n", p50, Burst(port, request));
    return 0;
}

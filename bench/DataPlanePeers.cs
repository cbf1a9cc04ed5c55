using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using ActorTrainer.Actors.DataPlane;
using ActorTrainer.Actors.DataPlane.Peers;
using ActorTrainer.Actors.DataPlane.Tcp;
using ActorTrainer.Actors.Protocol;
using Akka.Actor;
using Akka.Configuration;
using TorchSharp;

namespace ActorTrainer.Bench;

/// <summary>The measuring process's data plane and actor system.</summary>
internal sealed class DataPlaneSender : IDisposable
{
    /// <summary>Payloads under way at a time.</summary>
    private const int Window = 4;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly PeerNetwork _network = Network("sender");
    private readonly TcpDataPlane _plane;
    private readonly ActorSystem _system = System();
    private readonly ActorSelection _peer;
    private int _sent;

    /// <param name="dataAddress">Data-plane address of the peer.</param>
    /// <param name="actor">Path of its actor.</param>
    public DataPlaneSender(string dataAddress, string actor)
    {
        _plane = new TcpDataPlane(_network, new TensorPayloadReader(), new TcpDataPlaneOptions());
        _network.Listen();
        _peer = _system.ActorSelection(actor);
        _plane.Join("bench", 1, 0, ActorRefs.Nobody, [_network.Address, dataAddress]);
    }

    /// <summary>Sends a tensor so many times and waits until all have been handed over.</summary>
    public void Send(torch.Tensor tensor, int count)
    {
        using var places = new SemaphoreSlim(Window, Window);
        for (var i = 0; i < count; i++)
        {
            places.Wait();
            var key = new TransferKey("bench", 1, 1, Phase.Train, TransferKind.Activation, _sent++, 1);
            _plane.Send(0, 1, key, new TimedPayload(new TensorPayload(tensor.alias()), places));
        }

        for (var i = 0; i < Window; i++)
        {
            places.Wait();
        }
    }

    /// <summary>Milliseconds that a question to the peer's actor takes.</summary>
    public async Task<double> RoundTrip()
    {
        var clock = Stopwatch.StartNew();
        await _peer.Ask<long>("ping", Patience).ConfigureAwait(false);
        return clock.Elapsed.TotalMilliseconds;
    }

    /// <summary>Managed bytes that the peer has allocated so far.</summary>
    public Task<long> PeerAllocated() => _peer.Ask<long>("allocated", Patience);

    public void Dispose()
    {
        _plane.Dispose();
        _network.Dispose();
        _system.Dispose();
    }

    internal static PeerNetwork Network(string node) =>
        new(new PeerSettings { Node = node, Incarnation = Guid.NewGuid().ToString("N"), Address = "127.0.0.1" });

    internal static ActorSystem System() => ActorSystem.Create("bench", ConfigurationFactory.ParseString(
        """
        akka.loglevel = OFF
        akka.stdout-loglevel = OFF
        akka.actor.provider = remote
        akka.remote.dot-netty.tcp {
          hostname = "127.0.0.1"
          port = 0
        }
        """));

    /// <summary>Says when it has been handed over.</summary>
    private sealed class TimedPayload(TensorPayload payload, SemaphoreSlim places) : IPayload
    {
        public long WireSize => payload.WireSize;

        public void Write(Stream stream) => payload.Write(stream);

        public void Dispose()
        {
            payload.Dispose();
            places.Release();
        }
    }
}

/// <summary>The other process: takes everything, answers questions, lives until its input ends.</summary>
internal static class DataPlanePeer
{
    public static void Run()
    {
        using var network = DataPlaneSender.Network("receiver");
        using var plane = new TcpDataPlane(network, new TensorPayloadReader(), new TcpDataPlaneOptions());
        using var system = DataPlaneSender.System();
        var taker = system.ActorOf(Props.Create(() => new Taker()), "taker");
        plane.Join("bench", 1, 1, taker, []);
        network.Listen();
        var listener = new Socket(SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        new Thread(() => RawSocket.Serve(listener)) { IsBackground = true }.Start();
        var address = ((ExtendedActorSystem)system).Provider.DefaultAddress;
        Console.WriteLine($"{listener.LocalEndPoint} {network.Address} {taker.Path.ToStringWithAddress(address)}");
        Console.In.ReadToEnd();
    }

    private sealed class Taker : ReceiveActor
    {
        public Taker()
        {
            Receive<Arrived>(arrived => arrived.Payload.Dispose());
            Receive<string>(question => Sender.Tell(question == "allocated" ? GC.GetTotalAllocatedBytes() : 0L));
        }
    }
}

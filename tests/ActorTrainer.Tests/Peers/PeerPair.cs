using System.Collections.Concurrent;
using ActorTrainer.Actors.DataPlane.Peers;
using Xunit;

namespace ActorTrainer.Tests.Peers;

/// <summary>A listening node, whose connections of purpose Payloads echo, and a second node that connects to it.</summary>
internal sealed class PeerPair : IDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    public PeerPair(Func<PeerSettings, PeerSettings>? listener = null, Func<PeerSettings, PeerSettings>? caller = null)
    {
        Listener = new PeerNetwork(Settings("b", listener, Reasons.Enqueue));
        Caller = new PeerNetwork(Settings("a", caller, null));
        Listener.Serve(PeerPurpose.Payloads, Echo);
        Listener.Listen();
    }

    public PeerNetwork Listener { get; }

    public PeerNetwork Caller { get; }

    /// <summary>What the listener said of those it did not admit.</summary>
    public ConcurrentQueue<string> Reasons { get; } = new();

    public static byte[] Secret(byte seed) => [.. Enumerable.Repeat(seed, 32)];

    public PeerConnection Connect(PeerPurpose purpose = PeerPurpose.Payloads) => Caller.Connect(Listener.Address, purpose, Patience);

    /// <summary>A byte there and back: admitted for certain, since each side has spoken to the other's handler.</summary>
    public void Talk()
    {
        using var connection = Connect();
        connection.Stream.WriteByte(42);
        Assert.Equal(42, connection.Stream.ReadByte());
    }

    /// <summary>Waits until the listener has decided on so many strangers.</summary>
    public void AwaitRefused(long count) =>
        Assert.True(SpinWait.SpinUntil(() => Listener.Counters.Refused >= count, Patience), $"{Listener.Counters.Refused} of {count} refused");

    public void Dispose()
    {
        Caller.Dispose();
        Listener.Dispose();
    }

    private static PeerSettings Settings(string node, Func<PeerSettings, PeerSettings>? change, Action<string>? refused)
    {
        var settings = new PeerSettings { Node = node, Incarnation = node + "1", Secret = Secret(1), Refused = refused, HandshakeTimeout = Patience };
        return change?.Invoke(settings) ?? settings;
    }

    private static void Echo(PeerConnection connection)
    {
        using (connection)
        {
            var buffer = new byte[4096];
            for (int read; (read = connection.Stream.Read(buffer)) > 0;)
            {
                connection.Stream.Write(buffer.AsSpan(0, read));
            }
        }
    }
}

using System.Collections.Concurrent;
using ActorTrainer.Actors.Protocol;
using Akka.Actor;
using Microsoft.IO;

namespace ActorTrainer.Actors.DataPlane;

/// <summary>The data plane inside one process: payloads change hands without a copy, or through their wire format when a reader is given.</summary>
/// <param name="wire">Reader of the payloads; when given, every payload is written and read back, so that what works here works between processes.</param>
public sealed class LocalDataPlane(IPayloadReader? wire = null) : IDataPlane
{
    private static readonly RecyclableMemoryStreamManager Buffers = new();

    private readonly ConcurrentDictionary<(string Run, int Stage), IActorRef> _receivers = new();
    private long _bytes;

    /// <summary>Bytes sent so far, in wire size.</summary>
    public long BytesSent => Interlocked.Read(ref _bytes);

    /// <inheritdoc/>
    public void Join(string run, int attempt, int stage, IActorRef receiver, IReadOnlyList<string> peers) => _receivers[(run, stage)] = receiver;

    /// <inheritdoc/>
    public void Send(int from, int to, TransferKey key, IPayload payload)
    {
        Interlocked.Add(ref _bytes, payload.WireSize);
        if (wire is not null)
        {
            using var original = payload;
            using var buffer = Buffers.GetStream("payload", payload.WireSize);
            original.Write(buffer);
            buffer.Position = 0;
            payload = wire.Read(buffer);
        }

        _receivers[(key.Run, to)].Tell(new Arrived(key, payload), ActorRefs.NoSender);
    }
}

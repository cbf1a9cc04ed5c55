using ActorTrainer.Actors.Protocol;

namespace ActorTrainer.Actors.DataPlane.Tcp;

/// <summary>The frames of one session that the receiver does not have yet, in order; some have been sent. Not thread-safe.</summary>
internal sealed class OutgoingQueue
{
    private readonly LinkedList<OutgoingFrame> _frames = [];
    private LinkedListNode<OutgoingFrame>? _next;
    private long _sequence;
    private long _bytes;

    /// <summary>Frames waiting to be sent or acknowledged.</summary>
    public int Count => _frames.Count;

    /// <summary>Number of the last frame sent.</summary>
    public long Sent { get; private set; }

    /// <summary>Whether sent frames wait for their acknowledgement.</summary>
    public bool Awaits => _frames.First is { } first && first != _next;

    public void Add(int to, TransferKey key, IPayload payload)
    {
        var size = payload.WireSize;
        _bytes += size;
        var node = _frames.AddLast(new OutgoingFrame(++_sequence, _bytes, to, key, payload, size));
        _next ??= node;
    }

    /// <summary>The next frame, if the receiver's credit covers it.</summary>
    public OutgoingFrame? TakeNext(long granted)
    {
        if (_next is not { } node || node.Value.End > granted)
        {
            return null;
        }

        _next = node.Next;
        Sent = node.Value.Sequence;
        return node.Value;
    }

    /// <summary>The receiver has everything up to a number: removes and returns the frames.</summary>
    /// <exception cref="InvalidDataException">So much was never sent.</exception>
    public IReadOnlyList<OutgoingFrame> Acknowledge(long sequence)
    {
        if (sequence > Sent)
        {
            throw new InvalidDataException($"The receiver acknowledges frame {sequence}, the last one sent is {Sent}.");
        }

        var done = new List<OutgoingFrame>();
        while (_frames.First is { } first && first.Value.Sequence <= sequence)
        {
            done.Add(first.Value);
            _frames.RemoveFirst();
        }

        return done;
    }

    /// <summary>A new connection: what was sent and not acknowledged is sent again.</summary>
    public void Rewind()
    {
        _next = _frames.First;
        Sent = _next?.Value.Sequence - 1 ?? _sequence;
    }

    /// <summary>Removes and returns everything.</summary>
    public IReadOnlyList<OutgoingFrame> Clear()
    {
        var frames = _frames.ToList();
        _frames.Clear();
        _next = null;
        return frames;
    }
}

using ActorTrainer.Actors.DataPlane.Peers.Admission;

namespace ActorTrainer.Tests.Peers;

/// <summary>A stranger without a socket: sends its first record, then the one made from the answer, then ends.</summary>
internal sealed class ScriptedStream(Attack attack) : Stream
{
    private readonly MemoryStream _written = new(2 * (PeerHandshake.MaxBody + PeerHandshake.HeadLength));
    private ReadOnlyMemory<byte> _input = attack.First;
    private bool _answered;

    /// <summary>Bytes sent to the stranger.</summary>
    public long Written => _written.Length;

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override int Read(Span<byte> buffer)
    {
        if (_input.IsEmpty && !_answered)
        {
            _answered = true;
            _input = attack.Second(_written.ToArray());
        }

        var count = Math.Min(buffer.Length, _input.Length);
        _input.Span[..count].CopyTo(buffer);
        _input = _input[count..];
        return count;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Write(ReadOnlySpan<byte> buffer) => _written.Write(buffer);

    public override void Write(byte[] buffer, int offset, int count) => _written.Write(buffer, offset, count);

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}

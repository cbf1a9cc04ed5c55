namespace ActorTrainer.He.Seal;

/// <summary>
/// Bytes as a stream that knows whether it was read to the very end, and whether somebody asked for more. The last byte is given by itself, so that an
/// inflater, which reads ahead, has read all only if it needed all.
/// </summary>
internal sealed unsafe class SealInput(byte* start, int length) : Stream
{
    private int _given;

    /// <summary>Whether all bytes were read and no more were asked for.</summary>
    public bool EndsHere { get; private set; }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => length;

    public override long Position
    {
        get => _given;
        set => throw new NotSupportedException();
    }

    public override int Read(Span<byte> buffer)
    {
        var left = length - _given;
        var count = Math.Min(buffer.Length, left > 1 ? left - 1 : left);
        EndsHere = left == 1 && count == 1;
        new ReadOnlySpan<byte>(start + _given, count).CopyTo(buffer);
        _given += count;
        return count;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}

namespace ActorTrainer.Tests.DataPlane;

/// <summary>A connection that breaks after so many bytes written or read, in the middle of whatever they belong to.</summary>
internal sealed class CuttingStream(Stream inner, long writes, long reads) : Stream
{
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
        if (reads == 0)
        {
            throw Cut();
        }

        var count = inner.Read(buffer[..(int)Math.Min(buffer.Length, reads)]);
        reads -= count;
        return count;
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        var count = (int)Math.Min(buffer.Length, writes);
        inner.Write(buffer[..count]);
        writes -= count;
        if (count < buffer.Length)
        {
            throw Cut();
        }
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush() => inner.Flush();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing) => inner.Dispose();

    private IOException Cut()
    {
        inner.Dispose();
        return new IOException("cut");
    }
}

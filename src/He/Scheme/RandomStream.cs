using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace ActorTrainer.He.Scheme;

/// <summary>
/// Random words from a key: AES-256 in counter mode (NIST SP 800-38A), whose key is SHA-256 over a domain, an index and the seed, so that
/// no two purposes share a stream. Key and words live on the stack and in native memory, and are overwritten. One thread at a time.
/// </summary>
public sealed unsafe class RandomStream : IDisposable
{
    private const int FirstBytes = 512;
    private const int BufferBytes = 16384;

    private readonly Aes _aes = Aes.Create();
    private byte* _buffer;
    private ulong _block;
    private int _filled;
    private int _used;

    /// <param name="domain">What the stream is for.</param>
    /// <param name="index">Which of several for the same purpose.</param>
    public RandomStream(ReadOnlySpan<byte> seed, string domain, int index = 0)
    {
        var label = Encoding.UTF8.GetBytes(domain);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> numbers = stackalloc byte[8];
        BinaryPrimitives.WriteInt32LittleEndian(numbers, label.Length);
        BinaryPrimitives.WriteInt32LittleEndian(numbers[4..], index);
        hash.AppendData(numbers);
        hash.AppendData(label);
        hash.AppendData(seed);
        Span<byte> key = stackalloc byte[SHA256.HashSizeInBytes];
        hash.GetHashAndReset(key);
        _aes.SetKey(key);
        CryptographicOperations.ZeroMemory(key);
        _buffer = (byte*)NativeMemory.AlignedAlloc(BufferBytes, 64);
    }

    ~RandomStream() => Free();

    public ulong Next()
    {
        if (_used == _filled)
        {
            Refill();
        }

        var word = BinaryPrimitives.ReadUInt64LittleEndian(new ReadOnlySpan<byte>(_buffer + _used, sizeof(ulong)));
        _used += sizeof(ulong);
        return word;
    }

    public void Dispose()
    {
        Free();
        _aes.Dispose();
        GC.SuppressFinalize(this);
    }

    private void Refill()
    {
        ObjectDisposedException.ThrowIf(_buffer is null, this);
        // Few words cost little, many are made in large pieces.
        _filled = _filled == 0 ? FirstBytes : Math.Min(2 * _filled, BufferBytes);
        var counters = new Span<ulong>(_buffer, _filled / sizeof(ulong));
        for (var i = 0; i < counters.Length; i += 2)
        {
            (counters[i], counters[i + 1]) = (BitConverter.IsLittleEndian ? _block++ : BinaryPrimitives.ReverseEndianness(_block++), 0);
        }

        var bytes = new Span<byte>(_buffer, _filled);
        _aes.EncryptEcb(bytes, bytes, PaddingMode.None);
        _used = 0;
    }

    private void Free()
    {
        if (_buffer is not null)
        {
            CryptographicOperations.ZeroMemory(new Span<byte>(_buffer, BufferBytes));
            NativeMemory.AlignedFree(_buffer);
            _buffer = null;
            (_filled, _used) = (0, 0);
        }
    }
}

using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace ActorTrainer.He.Scheme;

/// <summary>
/// Random words from a key: AES-256 in counter mode (NIST SP 800-38A), whose key is SHA-256 over a domain, an index and the seed, so that
/// no two purposes share a stream. One thread at a time.
/// </summary>
public sealed class RandomStream : IDisposable
{
    private const int BufferBytes = 16384;

    private readonly Aes _aes = Aes.Create();
    private readonly byte[] _counters = new byte[BufferBytes];
    private readonly byte[] _buffer = GC.AllocateUninitializedArray<byte>(BufferBytes, pinned: true);
    private ulong _block;
    private int _used = BufferBytes;

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
        var key = hash.GetHashAndReset();
        _aes.Key = key;
        CryptographicOperations.ZeroMemory(key);
    }

    public ulong Next()
    {
        if (_used == BufferBytes)
        {
            Refill();
        }

        var word = BinaryPrimitives.ReadUInt64LittleEndian(_buffer.AsSpan(_used));
        _used += sizeof(ulong);
        return word;
    }

    public void Dispose()
    {
        CryptographicOperations.ZeroMemory(_buffer);
        _aes.Dispose();
    }

    private void Refill()
    {
        var counters = MemoryMarshal.Cast<byte, ulong>(_counters.AsSpan());
        for (var i = 0; i < counters.Length; i += 2)
        {
            counters[i] = BitConverter.IsLittleEndian ? _block++ : BinaryPrimitives.ReverseEndianness(_block++);
        }

        _aes.EncryptEcb(_counters, _buffer, PaddingMode.None);
        _used = 0;
    }
}

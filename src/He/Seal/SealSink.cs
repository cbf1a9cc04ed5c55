using System.Buffers.Binary;
using ActorTrainer.He.Ring;

namespace ActorTrainer.He.Seal;

/// <summary>Writes objects in SEAL's format, uncompressed, into memory of their size.</summary>
internal unsafe ref struct SealSink(Span<byte> buffer, SealVersion version)
{
    private readonly Span<byte> _buffer = buffer;
    private int _written;

    public void Header(long size)
    {
        new SealHeader(version, (byte)SealCompression.None, (ulong)size).Write(_buffer[_written..]);
        _written += SealSizes.Header;
    }

    public void Byte(byte value) => _buffer[_written++] = value;

    public void Word(ulong value)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(_buffer[_written..], value);
        _written += sizeof(ulong);
    }

    public void Id(ParmsId id)
    {
        id.Write(_buffer[_written..]);
        _written += ParmsId.Bytes;
    }

    public void Parameters(SealParameters parameters)
    {
        Header(SealSizes.Parameters(parameters.Primes.Count));
        Byte(ParmsId.Ckks);
        Word((ulong)parameters.Degree);
        Word((ulong)parameters.Primes.Count);
        foreach (var prime in parameters.Primes)
        {
            Modulus(prime.Value);
        }

        Modulus(0);
    }

    /// <summary>Also a secret key.</summary>
    public void Plaintext(RingContext ring, Polynomial polynomial, ParmsId id, double scale)
    {
        var words = (long)polynomial.Limbs * ring.Degree;
        Header(SealSizes.Header + ParmsId.Bytes + (2 * sizeof(ulong)) + SealSizes.Array(words));
        Id(id);
        Word((ulong)words);
        Word(BitConverter.DoubleToUInt64Bits(scale));
        Array(ring, [polynomial]);
    }

    /// <summary>Also a public key, at scale 1.</summary>
    public void Ciphertext(SealSizes sizes, RingContext ring, scoped ReadOnlySpan<Polynomial> parts, ParmsId id, double scale, SealSeed? seed)
    {
        Header(sizes.Ciphertext(parts[0].Limbs, parts.Length, seed is not null));
        Id(id);
        Byte(1);
        Word((ulong)parts.Length);
        Word((ulong)ring.Degree);
        Word((ulong)parts[0].Limbs);
        Word(BitConverter.DoubleToUInt64Bits(scale));
        if (version.HasCorrectionFactor)
        {
            Word(1);
        }

        Array(ring, seed is null ? parts : parts[..1]);
        if (seed is not null)
        {
            Header(SealSizes.Seed);
            Byte((byte)seed.Expansion);
            seed.Span.CopyTo(_buffer[_written..]);
            _written += SealSeed.Bytes;
        }
    }

    private void Modulus(ulong value)
    {
        Header(SealSizes.Header + sizeof(ulong));
        Word(value);
    }

    private void Array(RingContext ring, scoped ReadOnlySpan<Polynomial> polynomials)
    {
        var words = (long)polynomials.Length * polynomials[0].Limbs * ring.Degree;
        Header(SealSizes.Array(words));
        Word((ulong)words);
        foreach (var polynomial in polynomials)
        {
            for (var i = 0; i < polynomial.Limbs; i++)
            {
                var bytes = new ReadOnlySpan<byte>(polynomial[i], ring.Degree * sizeof(ulong));
                bytes.CopyTo(_buffer[_written..]);
                if (!BitConverter.IsLittleEndian)
                {
                    var words64 = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, ulong>(_buffer.Slice(_written, bytes.Length));
                    BinaryPrimitives.ReverseEndianness(words64, words64);
                }

                _written += bytes.Length;
            }

            GC.KeepAlive(polynomial);
        }
    }
}

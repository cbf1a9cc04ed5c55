using System.Buffers.Binary;
using System.IO.Compression;
using ActorTrainer.He.Ring;

namespace ActorTrainer.He.Seal;

/// <summary>
/// Reads the members of one object, from its bytes or inflated on demand. It never reads what the caller did not ask for and allocates nothing by
/// what the bytes claim.
/// </summary>
internal sealed unsafe class SealSource
{
    private readonly Stream _stream;
    private readonly SealVersion _version;
    private long _read;

    private SealSource(Stream stream, SealVersion version) => (_stream, _version) = (stream, version);

    /// <summary>Of the outermost header; those inside have the same.</summary>
    public SealVersion Version => _version;

    /// <summary>Reads one object, all of whose bytes are given.</summary>
    /// <param name="maxBytes">Of the object before compression, by the version in its header.</param>
    /// <exception cref="SealFormatException">The bytes are not one whole object.</exception>
    public static T Open<T>(ReadOnlySpan<byte> bytes, string what, Func<SealVersion, long> maxBytes, Func<SealSource, T> members)
        where T : class
    {
        if (bytes.Length < SealSizes.Header)
        {
            throw new SealFormatException($"A {what} has at least {SealSizes.Header} bytes; found {bytes.Length}.");
        }

        var header = SealHeader.Read(bytes, what);
        if (header.Size != (ulong)bytes.Length)
        {
            throw new SealFormatException($"The {what} says that it has {header.Size} bytes; there are {bytes.Length}. Give exactly one object.");
        }

        // Deflate may add a few bytes to what it cannot compress.
        var most = maxBytes(header.Version) is var raw && header.Compression == (byte)SealCompression.None ? raw : raw + (raw / 500) + 64;
        if (bytes.Length > most)
        {
            throw new SealFormatException($"A {what} of these parameters has at most {most} bytes; found {bytes.Length}.");
        }

        fixed (byte* start = bytes)
        {
            using var memory = new SealInput(start + SealSizes.Header, bytes.Length - SealSizes.Header);
            switch (header.Compression)
            {
                case (byte)SealCompression.None:
                    return Whole(memory, memory, header.Version, what, members);
                case (byte)SealCompression.Zlib:
                    using (var inflated = new ZLibStream(memory, CompressionMode.Decompress, leaveOpen: true))
                    {
                        return Whole(inflated, memory, header.Version, what, members);
                    }

                default:
                    throw new SealFormatException(
                        $"The {what} is compressed in way {header.Compression}{(header.Compression == 2 ? " (zstd)" : "")}; 0 (none) and 1 (zlib) are read. Save it with one of them.");
            }
        }
    }

    public void Read(Span<byte> bytes, string what)
    {
        var found = _stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        _read += found;
        if (found < bytes.Length)
        {
            throw new SealFormatException($"The {what} takes {bytes.Length} bytes; only {found} are left.");
        }
    }

    public byte Byte(string what)
    {
        Span<byte> bytes = stackalloc byte[1];
        Read(bytes, what);
        return bytes[0];
    }

    public ulong Word(string what)
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        Read(bytes, what);
        return BinaryPrimitives.ReadUInt64LittleEndian(bytes);
    }

    /// <summary>A word that can have only one value.</summary>
    public void Word(ulong expected, string what)
    {
        if (Word(what) is var found && found != expected)
        {
            throw new SealFormatException($"The {what} is {expected} under these parameters; found {found}.");
        }
    }

    /// <summary>A finite, positive, normal number.</summary>
    public double Scale()
    {
        var scale = BitConverter.UInt64BitsToDouble(Word("scale"));
        return double.IsNormal(scale) && scale > 0
            ? scale
            : throw new SealFormatException(FormattableString.Invariant($"A scale is a finite, positive, normal number; found {scale}."));
    }

    public ParmsId Id()
    {
        Span<byte> bytes = stackalloc byte[ParmsId.Bytes];
        Read(bytes, "parms_id");
        return ParmsId.From(bytes);
    }

    /// <summary>Reads an object inside of this one, whose header must tell how long it is.</summary>
    public T Inner<T>(string what, Func<SealSource, T> members)
    {
        Span<byte> bytes = stackalloc byte[SealSizes.Header];
        var start = _read;
        Read(bytes, what);
        var header = SealHeader.Read(bytes, what);
        if (header.Compression != (byte)SealCompression.None || header.Version != _version)
        {
            throw new SealFormatException(
                $"An inner {what} is not compressed and of the version {_version} of the whole; found compression {header.Compression}, version {header.Version}.");
        }

        var value = members(this);
        if (header.Size == (ulong)(_read - start))
        {
            return value;
        }

        (value as IDisposable)?.Dispose();
        throw new SealFormatException($"An inner {what} has {_read - start} bytes; its header says {header.Size}.");
    }

    /// <summary>The residues of all limbs, each in [0, q).</summary>
    public void Residues(RingContext ring, Polynomial polynomial)
    {
        for (var i = 0; i < polynomial.Limbs; i++)
        {
            var residues = new Span<ulong>(polynomial[i], ring.Degree);
            Read(new Span<byte>(polynomial[i], ring.Degree * sizeof(ulong)), "residues");
            if (!BitConverter.IsLittleEndian)
            {
                BinaryPrimitives.ReverseEndianness(residues, residues);
            }

            // Without a branch on each residue: they may be a secret's.
            var (q, above) = (ring.Of(polynomial, i).Modulus.Value, 0UL);
            foreach (var residue in residues)
            {
                above |= (q - 1 - residue) | residue;
            }

            if (above >> 63 != 0)
            {
                throw new SealFormatException($"Residues mod {q} are below it; found a larger one.");
            }
        }

        GC.KeepAlive(polynomial);
    }

    private static T Whole<T>(Stream stream, SealInput input, SealVersion version, string what, Func<SealSource, T> members)
        where T : class
    {
        using var stage = new SealStage();
        try
        {
            var value = members(new SealSource(stream, version));
            if (value is IDisposable owner)
            {
                stage.Add(owner);
            }

            // What is left must be nothing. For zlib the checksum is verified on the way; an inflater without its end asks for more but does not fail.
            var (whole, ended) = (input.EndsHere, stream.ReadByte() < 0);
            if (ended && (stream == input ? whole : input.EndsHere))
            {
                return stage.Finish(value);
            }
        }
        catch (Exception e) when (e is InvalidDataException or IOException)
        {
            throw new SealFormatException($"The {what} cannot be inflated: {e.Message}", e);
        }

        throw new SealFormatException($"The {what} does not end with its last member: bytes are missing or there are more.");
    }
}

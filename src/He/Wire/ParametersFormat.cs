using System.Buffers.Binary;
using System.Text;
using ActorTrainer.He.Parameters;
using ActorTrainer.He.Scheme;

namespace ActorTrainer.He.Wire;

/// <summary>
/// Payload of parameters: the literal, from which the reader makes the set again, primes included, and compares fingerprints. log₂ N (1), insecure (1), usable
/// levels (2, 65535 for all), segments (1), special and chain segments from the bottom, each bits (1), primes (1), primes of a level (1), purpose; name; purpose.
/// Texts are a length (2) and UTF-8.
/// </summary>
internal static class ParametersFormat
{
    private const int MaxTextBytes = 256;
    private const int MaxSegments = 16;
    private const int MaxPrimes = 128;
    private const int MaxPayload = 7 + (2 * (2 + MaxTextBytes)) + ((MaxSegments + 1) * (3 + 2 + MaxTextBytes));
    private const ushort AllLevels = ushort.MaxValue;

    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <exception cref="MisuseException">A text or the chain is too long.</exception>
    public static byte[] Payload(CkksParameters parameters)
    {
        var literal = parameters.Literal;
        if (literal.Chain.Count > MaxSegments || parameters.Chain.Count + parameters.Special.Count > MaxPrimes)
        {
            throw new MisuseException($"Cannot write {parameters}: expected at most {MaxSegments} segments and {MaxPrimes} primes. Join segments of equal primes.");
        }

        using var bytes = new MemoryStream();
        bytes.WriteByte((byte)literal.LogDegree);
        bytes.WriteByte(literal.AllowInsecure ? (byte)1 : (byte)0);
        Put(bytes, (ushort)(literal.UsableLevels ?? AllLevels));
        bytes.WriteByte((byte)literal.Chain.Count);
        foreach (var segment in literal.Chain.Prepend(literal.Special))
        {
            bytes.Write([(byte)segment.Bits, (byte)segment.Count, (byte)segment.PrimesPerLevel]);
            Put(bytes, segment.Purpose);
        }

        Put(bytes, literal.Name);
        Put(bytes, literal.Purpose);
        return bytes.ToArray();
    }

    public static void Write(ref WireSink sink, CkksParameters parameters, ReadOnlySpan<byte> payload)
    {
        new WireHeader(WireKind.Parameters, WireForm.Full, 0, 0, 0, payload.Length).Write(ref sink, parameters.Fingerprint.Span);
        sink.Write(payload);
        sink.End();
    }

    public static CkksParameters Read(ref WireSource source, bool allowInsecure)
    {
        Span<byte> fingerprint = stackalloc byte[Fingerprints.Bytes];
        var header = WireHeader.Read(ref source, WireKind.Parameters, fingerprint);
        if (header with { PayloadBytes = 0 } != new WireHeader(WireKind.Parameters, WireForm.Full, 0, 0, 0, 0) || header.PayloadBytes is < 0 or > MaxPayload)
        {
            throw new WireFormatException($"parameters of at most {MaxPayload} bytes", $"{header}", WireFormatException.Resend);
        }

        header.CheckSize(WireSize.Header + header.PayloadBytes + WireSize.Checksum, WireLimits.Default, source);
        var payload = new byte[header.PayloadBytes];
        source.Read(payload);
        source.End();
        var literal = Literal(payload);
        if (literal.AllowInsecure && !allowInsecure)
        {
            throw new WireFormatException("a secure set", $"'{literal.Name}', which is for tests", "Allow insecure sets where no real data is.");
        }

        var parameters = Made(literal);
        return fingerprint.SequenceEqual(parameters.Fingerprint.Span)
            ? parameters
            : throw new WireFormatException(
                $"a set with the fingerprint {Fingerprints.Short(fingerprint)}",
                $"{Fingerprints.Short(parameters.Fingerprint.Span)}",
                "The sender chooses primes in another way: use the same version on both sides.");
    }

    private static CkksParameters Made(ParametersLiteral literal)
    {
        try
        {
            var parameters = new CkksParameters(literal);
            return literal.UsableLevels is null || literal.UsableLevels <= parameters.MaxLevel
                ? parameters
                : throw new WireFormatException($"at most {parameters.MaxLevel} usable levels", $"{literal.UsableLevels}", WireFormatException.Resend);
        }
        catch (ArgumentException refusal)
        {
            throw new WireFormatException("a possible set of parameters", $"'{literal.Name}'", refusal.Message, refusal);
        }
    }

    private static ParametersLiteral Literal(ReadOnlySpan<byte> bytes)
    {
        var (degree, insecure, usable, segments) = (Byte(ref bytes), Byte(ref bytes), Word(ref bytes), Byte(ref bytes));
        if (insecure > 1 || segments is 0 or > MaxSegments)
        {
            throw new WireFormatException($"0 or 1, and 1 to {MaxSegments} segments", $"{insecure} and {segments}", WireFormatException.Resend);
        }

        var all = new ChainSegment[segments + 1];
        for (var i = 0; i < all.Length; i++)
        {
            var (bits, count, perLevel) = (Byte(ref bytes), Byte(ref bytes), Byte(ref bytes));
            all[i] = new ChainSegment(bits, count, Text(ref bytes), perLevel);
        }

        var (name, purpose) = (Text(ref bytes), Text(ref bytes));
        if (!bytes.IsEmpty || all.Sum(segment => segment.Count) > MaxPrimes)
        {
            throw new WireFormatException($"at most {MaxPrimes} primes, and nothing after the texts", $"{all.Sum(segment => segment.Count)} primes, {bytes.Length} bytes", WireFormatException.Resend);
        }

        return new ParametersLiteral
        {
            Name = name,
            LogDegree = degree,
            Chain = all[1..],
            Special = all[0],
            UsableLevels = usable == AllLevels ? null : usable,
            Purpose = purpose,
            AllowInsecure = insecure == 1,
        };
    }

    private static void Put(MemoryStream target, ushort value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(ushort)];
        BinaryPrimitives.WriteUInt16LittleEndian(bytes, value);
        target.Write(bytes);
    }

    private static void Put(MemoryStream target, string text)
    {
        var bytes = Utf8.GetBytes(text);
        if (bytes.Length > MaxTextBytes || text.Any(char.IsControl))
        {
            throw new MisuseException($"Cannot write parameters: expected texts of at most {MaxTextBytes} bytes without control characters, found {bytes.Length} bytes. Shorten '{text}'.");
        }

        Put(target, (ushort)bytes.Length);
        target.Write(bytes);
    }

    private static byte Byte(ref ReadOnlySpan<byte> bytes) => Taken(ref bytes, 1)[0];

    private static ushort Word(ref ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt16LittleEndian(Taken(ref bytes, sizeof(ushort)));

    /// <summary>A text that is fit for messages and logs.</summary>
    private static string Text(ref ReadOnlySpan<byte> bytes)
    {
        var length = Word(ref bytes);
        if (length > MaxTextBytes)
        {
            throw new WireFormatException($"a text of at most {MaxTextBytes} bytes", $"{length}", WireFormatException.Resend);
        }

        try
        {
            var text = Utf8.GetString(Taken(ref bytes, length));
            return text.Any(char.IsControl) ? throw new WireFormatException("a text without control characters", "some", WireFormatException.Resend) : text;
        }
        catch (DecoderFallbackException invalid)
        {
            throw new WireFormatException("UTF-8", "other bytes", WireFormatException.Resend, invalid);
        }
    }

    private static ReadOnlySpan<byte> Taken(ref ReadOnlySpan<byte> bytes, int count)
    {
        if (bytes.Length < count)
        {
            throw new WireFormatException($"{count} more bytes", $"{bytes.Length}", WireFormatException.Resend);
        }

        var taken = bytes[..count];
        bytes = bytes[count..];
        return taken;
    }
}

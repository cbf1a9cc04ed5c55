using System.Buffers.Binary;
using ActorTrainer.He.Parameters;

namespace ActorTrainer.He.Wire;

/// <summary>
/// The 64 bytes before every object, little-endian: "ATHE", version, kind, form, parts; level (2), zero (2), count (4); bytes of payload (8), zero (8);
/// fingerprint of the parameters (32). After it the payload, and the checksum of both.
/// </summary>
/// <param name="Parts">Of a ciphertext or key; 0 for parameters.</param>
/// <param name="Level">Of a ciphertext or public key, else 0.</param>
/// <param name="Count">Keys of a set, else 0.</param>
/// <param name="PayloadBytes">Between header and checksum.</param>
internal readonly record struct WireHeader(WireKind Kind, WireForm Form, int Parts, int Level, int Count, long PayloadBytes)
{
    /// <summary>
    /// Readers take this version and lower ones, never higher ones. A change of layout or of meaning takes the next number, and the reading of those
    /// before it stays.
    /// </summary>
    public const byte Version = 1;

    private static ReadOnlySpan<byte> Magic => "ATHE"u8;

    /// <summary>Reads a header of a kind; the object's fingerprint goes to <paramref name="fingerprint"/>.</summary>
    /// <exception cref="WireFormatException">It is none, of a newer version, or of another kind.</exception>
    public static WireHeader Read(ref WireSource source, WireKind kind, scoped Span<byte> fingerprint)
    {
        Span<byte> bytes = stackalloc byte[WireSize.Header];
        source.Read(bytes);
        if (!bytes[..4].SequenceEqual(Magic))
        {
            throw new WireFormatException("an object of the engine, which begins with 'ATHE'", Convert.ToHexString(bytes[..4]), "Give the bytes of one object from its beginning.");
        }

        if (bytes[4] is 0 or > Version)
        {
            throw new WireFormatException($"version 1 to {Version}", $"{bytes[4]}", "Update this side, or have the object written by an older one.");
        }

        if ((WireKind)bytes[5] != kind)
        {
            throw new WireFormatException($"{kind}", Enum.IsDefined((WireKind)bytes[5]) ? $"{(WireKind)bytes[5]}" : $"kind {bytes[5]}", "Read it as what it is.");
        }

        if ((WireForm)bytes[6] is not (WireForm.Full or WireForm.Seeded))
        {
            throw new WireFormatException("form 0 or 1", $"{bytes[6]}", WireFormatException.Resend);
        }

        if (BinaryPrimitives.ReadUInt16LittleEndian(bytes[10..]) != 0 || BinaryPrimitives.ReadUInt64LittleEndian(bytes[24..]) != 0)
        {
            throw new WireFormatException("zeros in the header's unused bytes", "others", WireFormatException.Resend);
        }

        bytes[32..].CopyTo(fingerprint);
        return new WireHeader(
            kind,
            (WireForm)bytes[6],
            bytes[7],
            BinaryPrimitives.ReadUInt16LittleEndian(bytes[8..]),
            BinaryPrimitives.ReadInt32LittleEndian(bytes[12..]),
            BinaryPrimitives.ReadInt64LittleEndian(bytes[16..]));
    }

    /// <summary>The same for an object of known parameters.</summary>
    /// <exception cref="WireFormatException">It is none, of a newer version, of another kind, or of other parameters.</exception>
    public static WireHeader Read(ref WireSource source, WireKind kind, CkksParameters parameters)
    {
        Span<byte> fingerprint = stackalloc byte[Fingerprints.Bytes];
        var header = Read(ref source, kind, fingerprint);
        return fingerprint.SequenceEqual(parameters.Fingerprint.Span)
            ? header
            : throw new WireFormatException(
                $"parameters {parameters.Name} ({Fingerprints.Short(parameters.Fingerprint.Span)})",
                Fingerprints.Short(fingerprint),
                "Read it with the parameters that it was made with.");
    }

    public void Write(ref WireSink sink, scoped ReadOnlySpan<byte> fingerprint)
    {
        Span<byte> bytes = stackalloc byte[WireSize.Header];
        bytes.Clear();
        Magic.CopyTo(bytes);
        (bytes[4], bytes[5], bytes[6], bytes[7]) = (Version, (byte)Kind, (byte)Form, (byte)Parts);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[8..], (ushort)Level);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[12..], Count);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[16..], PayloadBytes);
        fingerprint.CopyTo(bytes[32..]);
        sink.Write(bytes);
    }

    /// <summary>Checks the lengths before any memory is taken: what the object must have, what is allowed, and what is there.</summary>
    /// <param name="size">Of the whole object.</param>
    /// <param name="read">Bytes of the payload that were read already.</param>
    /// <exception cref="WireFormatException">One of them differs, or bytes follow.</exception>
    public void CheckSize(long size, WireLimits limits, scoped in WireSource source, long read = 0)
    {
        var payload = size - WireSize.Header - WireSize.Checksum;
        if (PayloadBytes != payload)
        {
            throw new WireFormatException($"{payload} bytes of payload", $"{PayloadBytes}", WireFormatException.Resend);
        }

        if (size > limits.MaxBytes)
        {
            throw new WireFormatException($"at most {limits.MaxBytes} bytes", $"{size}", "Raise the limit if such an object is meant to come.");
        }

        if (source.Remaining is { } rest && rest != payload + WireSize.Checksum - read)
        {
            throw new WireFormatException($"{size} bytes in all", $"{rest + read + WireSize.Header}", "Give exactly the bytes of one object.");
        }
    }
}

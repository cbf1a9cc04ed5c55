using System.Buffers.Binary;
using ActorTrainer.Actors.DataPlane;
using ActorTrainer.Actors.DataPlane.Tcp;
using ActorTrainer.He.Scheme;
using ActorTrainer.He.Wire;

namespace ActorTrainer.Actors.Encrypted;

/// <summary>
/// A bundle of ciphertexts as one transfer between stages. Written as: 255, which no bundle of tensors begins with; fingerprint of the parameters (32 bytes); count (4
/// bytes); then each in the engine's wire format.
/// </summary>
/// <param name="context">Of the run's parameters; not owned.</param>
/// <param name="ciphertexts">Ciphertexts that the payload owns.</param>
public sealed class CipherPayload(CkksContext context, IReadOnlyList<Ciphertext> ciphertexts) : IPayload
{
    /// <summary>Most ciphertexts in a bundle.</summary>
    public const int MaximumCount = 4096;

    /// <summary>The first byte.</summary>
    public const byte Marker = 255;

    internal const int FingerprintBytes = 32;

    /// <summary>Bytes before the ciphertexts.</summary>
    internal const int HeaderBytes = 1 + FingerprintBytes + sizeof(int);

    public IReadOnlyList<Ciphertext> Ciphertexts { get; } = ciphertexts.Count <= MaximumCount
        ? ciphertexts
        : throw new ArgumentException($"A bundle holds at most {MaximumCount} ciphertexts; found {ciphertexts.Count}. Send several.", nameof(ciphertexts));

    /// <inheritdoc/>
    public long WireSize => HeaderBytes + Ciphertexts.Sum(He.Wire.WireSize.Of);

    /// <inheritdoc/>
    /// <exception cref="MisuseException">A ciphertext is of other parameters, or transparent: anyone could read it.</exception>
    public void Write(Stream stream)
    {
        stream.WriteByte(Marker);
        stream.Write(context.Parameters.Fingerprint.Span);
        Span<byte> count = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(count, Ciphertexts.Count);
        stream.Write(count);
        foreach (var ciphertext in Ciphertexts)
        {
            WireWriter.Write(stream, context, ciphertext);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var ciphertext in Ciphertexts)
        {
            ciphertext.Dispose();
        }
    }
}

/// <summary>Reads <see cref="CipherPayload"/>s of the parameter sets that this process computes with; nothing is accepted that is no conforming ciphertext of one.</summary>
/// <param name="contexts">Those of this process.</param>
/// <param name="limits">What one ciphertext may take; null for what the parameters allow.</param>
public sealed class CipherPayloadReader(CkksContexts contexts, WireLimits? limits = null) : IPayloadReader
{
    /// <inheritdoc/>
    public IPayload Read(Stream stream) => stream.ReadByte() switch
    {
        CipherPayload.Marker => ReadMarked(stream),
        < 0 => throw new EndOfStreamException("A payload ends before its header is complete."),
        var first => throw new InvalidDataException($"A bundle of ciphertexts begins with {CipherPayload.Marker}; found {first}."),
    };

    /// <summary>Reads what follows the first byte.</summary>
    internal IPayload ReadMarked(Stream stream)
    {
        Span<byte> fingerprint = stackalloc byte[CipherPayload.FingerprintBytes];
        stream.ReadExactly(fingerprint);
        var context = contexts.Find(fingerprint)
            ?? throw new InvalidDataException($"A bundle of ciphertexts of parameters {Convert.ToHexStringLower(fingerprint[..4])}, which nothing here computes with.");
        Span<byte> buffer = stackalloc byte[sizeof(int)];
        stream.ReadExactly(buffer);
        var count = BinaryPrimitives.ReadInt32LittleEndian(buffer);
        var least = He.Wire.WireSize.Ciphertext(context.Parameters, 0, seeded: true);
        if (count is < 0 or > CipherPayload.MaximumCount || (stream is FrameReader frame && count * least > frame.Remaining))
        {
            throw new InvalidDataException($"A payload announces {count} ciphertexts, of at least {least} bytes each; at most {CipherPayload.MaximumCount} and no more than it has bytes for are allowed.");
        }

        var ciphertexts = new List<Ciphertext>();
        try
        {
            for (var i = 0; i < count; i++)
            {
                ciphertexts.Add(WireReader.ReadCiphertext(stream, context, limits));
            }

            return new CipherPayload(context, ciphertexts);
        }
        catch (Exception e)
        {
            ciphertexts.ForEach(c => c.Dispose());
            if (e is WireFormatException)
            {
                throw new InvalidDataException($"Ciphertext {ciphertexts.Count} of a payload: {e.Message}", e);
            }

            throw;
        }
    }
}

using System.Buffers.Binary;
using System.Text;
using ActorTrainer.He.Layers;
using ActorTrainer.He.Scheme;
using ActorTrainer.He.Wire;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Actors.Encrypted;

/// <summary>
/// The encrypted state of a unit as a file: "ATEU", version (1), updates applied (8 bytes), packs (4), then weights, mean and square of each pack in the engine's wire
/// format, which carries checksums and the parameters' fingerprint.
/// </summary>
public static class EncryptedUnitState
{
    /// <summary>Most packs of a unit.</summary>
    private const int MaximumPacks = 4096;

    private const int HeaderBytes = 17;

    private static ReadOnlySpan<byte> Magic => "ATEU"u8;

    /// <summary>Writes a state.</summary>
    /// <exception cref="MisuseException">A ciphertext is transparent: anyone could read it.</exception>
    public static void Write(Stream stream, CkksContext context, long steps, IReadOnlyList<AdamWPack> packs)
    {
        Span<byte> header = stackalloc byte[HeaderBytes];
        Magic.CopyTo(header);
        header[4] = 1;
        BinaryPrimitives.WriteInt64LittleEndian(header[5..], steps);
        BinaryPrimitives.WriteInt32LittleEndian(header[13..], packs.Count);
        stream.Write(header);
        foreach (var pack in packs)
        {
            WireWriter.Write(stream, context, pack.Weights);
            WireWriter.Write(stream, context, pack.Mean);
            WireWriter.Write(stream, context, pack.Square);
        }
    }

    /// <summary>Reads a state; its packs are the caller's.</summary>
    /// <exception cref="RefusedException">It is none, is damaged, or of other parameters; names the file.</exception>
    public static (long Steps, IReadOnlyList<AdamWPack> Packs) Read(string path, CkksContext context)
    {
        var packs = new List<AdamWPack>();
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, 1 << 16);
            Span<byte> header = stackalloc byte[HeaderBytes];
            stream.ReadExactly(header);
            var count = BinaryPrimitives.ReadInt32LittleEndian(header[13..]);
            if (!header[..4].SequenceEqual(Magic) || header[4] != 1 || count is < 1 or > MaximumPacks)
            {
                throw new InvalidDataException($"expected \"ATEU\", version 1 and 1 to {MaximumPacks} packs, found \"{Encoding.Latin1.GetString(header[..4])}\", {header[4]} and {count}");
            }

            for (var i = 0; i < count; i++)
            {
                packs.Add(ReadPack(stream, context));
            }

            return stream.ReadByte() < 0 ? (BinaryPrimitives.ReadInt64LittleEndian(header[5..]), packs) : throw new InvalidDataException("bytes follow the last pack");
        }
        catch (Exception e)
        {
            packs.ForEach(pack => pack.Dispose());
            if (e is IOException or InvalidDataException or WireFormatException or UnauthorizedAccessException)
            {
                throw new RefusedException($"{path}: not the encrypted state of a unit under these parameters ({e.Message}).", e);
            }

            throw;
        }
    }

    private static AdamWPack ReadPack(Stream stream, CkksContext context)
    {
        Ciphertext? weights = null, mean = null;
        try
        {
            weights = WireReader.ReadCiphertext(stream, context);
            mean = WireReader.ReadCiphertext(stream, context);
            return new AdamWPack(weights, mean, WireReader.ReadCiphertext(stream, context));
        }
        catch
        {
            weights?.Dispose();
            mean?.Dispose();
            throw;
        }
    }
}

using System.Buffers.Binary;
using System.Security.Cryptography;
using ActorTrainer.He.Scheme;
using ActorTrainer.He.Wire;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Actors.KeyHolder;

/// <summary>
/// The one file that holds a secret key, of mode 0600: "ATSK", version (1), zeros (3), bytes of the parameters (4, little-endian), parameters in the engine's
/// wire format, SHA-256 of the public key's file (32), coefficients of two bits each, SHA-256 of all before (32). Bytes of the key lie in pinned memory
/// and are overwritten after use.
/// </summary>
internal static class SecretKeyFile
{
    private const byte Version = 1;
    private const int HeaderBytes = 12;
    private const string Remedy = "Take it from your backup; without it nothing encrypted with it can be read.";

    private static ReadOnlySpan<byte> Magic => "ATSK"u8;

    /// <summary>Writes the key, atomically, for its owner only.</summary>
    /// <param name="publicKeyHash">SHA-256 of the public key's file.</param>
    public static void Write(string path, CkksContext context, SecretKey key, ReadOnlySpan<byte> publicKeyHash)
    {
        var prefix = Prefix(context, publicKeyHash);
        var bytes = GC.AllocateArray<byte>(prefix.Length + SecretKeyCoefficients.Bytes(context.Parameters) + SHA256.HashSizeInBytes, pinned: true);
        try
        {
            prefix.CopyTo(bytes, 0);
            SecretKeyCoefficients.Write(context, key, bytes.AsSpan(prefix.Length..^SHA256.HashSizeInBytes));
            SHA256.HashData(bytes.AsSpan(..^SHA256.HashSizeInBytes), bytes.AsSpan(^SHA256.HashSizeInBytes..));
            PrivateFile.Write(path, bytes);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(bytes);
        }
    }

    /// <summary>Reads a key that must be of these parameters and belong to this public key.</summary>
    /// <exception cref="RefusedException">Others may read the file, it is damaged, or holds another key.</exception>
    public static SecretKey Read(string path, CkksContext context, ReadOnlySpan<byte> publicKeyHash)
    {
        if (!File.Exists(path))
        {
            throw new RefusedException($"{path}: expected the secret key, found no file. {Remedy}");
        }

        PrivateFile.RequirePrivate(path);
        var prefix = Prefix(context, publicKeyHash);
        var bytes = GC.AllocateArray<byte>(prefix.Length + SecretKeyCoefficients.Bytes(context.Parameters) + SHA256.HashSizeInBytes, pinned: true);
        try
        {
            Fill(path, bytes, context);
            Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
            SHA256.HashData(bytes.AsSpan(..^SHA256.HashSizeInBytes), hash);
            if (!CryptographicOperations.FixedTimeEquals(hash, bytes.AsSpan(^SHA256.HashSizeInBytes..)))
            {
                throw new RefusedException($"{path}: damaged: its checksum is not that of its bytes. {Remedy}");
            }

            return bytes.AsSpan(..prefix.Length).SequenceEqual(prefix)
                ? SecretKeyCoefficients.Read(context, bytes.AsSpan(prefix.Length..^SHA256.HashSizeInBytes))
                : throw new RefusedException($"{path}: expected the secret key of the public key beside it ({Convert.ToHexStringLower(publicKeyHash[..4])}…), found another one's. Keep the files of one folder of keys together.");
        }
        catch (FormatException e)
        {
            throw new RefusedException($"{path}: {e.Message} {Remedy}", e);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(bytes);
        }
    }

    private static void Fill(string path, byte[] bytes, CkksContext context)
    {
        try
        {
            using var file = File.OpenHandle(path);
            var length = RandomAccess.GetLength(file);
            Span<byte> header = stackalloc byte[HeaderBytes];
            if (RandomAccess.Read(file, header, 0) < HeaderBytes || !header[..4].SequenceEqual(Magic))
            {
                throw new RefusedException($"{path}: expected a secret key, which begins with 'ATSK'. {Remedy}");
            }

            if (header[4] != Version)
            {
                throw new RefusedException($"{path}: expected version {Version}, found {header[4]}. Update the program.");
            }

            if (length != bytes.Length)
            {
                throw new RefusedException($"{path}: expected {bytes.Length} bytes, the secret key of {context.Parameters.Name}; found {length}. {Remedy}");
            }

            for (int done = 0, count; done < bytes.Length; done += count)
            {
                count = RandomAccess.Read(file, bytes.AsSpan(done), done);
                if (count == 0)
                {
                    throw new RefusedException($"{path}: ended after {done} of {bytes.Length} bytes; it was changed while it was read.");
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RefusedException($"{path}: cannot be read ({e.Message}).", e);
        }
    }

    /// <summary>Everything before the coefficients; nothing of it is secret.</summary>
    private static byte[] Prefix(CkksContext context, ReadOnlySpan<byte> publicKeyHash)
    {
        var parameters = WireWriter.ToBytes(context.Parameters);
        var header = new byte[HeaderBytes];
        Magic.CopyTo(header);
        header[4] = Version;
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(8), parameters.Length);
        return [.. header, .. parameters, .. publicKeyHash];
    }
}

using System.Security.Cryptography;

namespace ActorTrainer.Actors.Encrypted;

/// <summary>A file as a manifest names it.</summary>
/// <param name="Name">In the manifest's folder.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="Sha256">64 lower-case hexadecimal digits.</param>
public sealed record EncryptedFile(string Name, long Bytes, string Sha256)
{
    /// <summary>What is wrong with the file's presence or size, or null.</summary>
    public string? SizeProblem(string folder)
    {
        var info = new FileInfo(Path.Combine(folder, Name));
        return info.Exists && info.Length == Bytes ? null : $"{info.FullName}: expected {Bytes} bytes, found {(info.Exists ? info.Length.ToString() : "no file")}";
    }

    /// <summary>What is wrong with the file, its content included, or null.</summary>
    public string? Problem(string folder)
    {
        if (SizeProblem(folder) is { } problem)
        {
            return problem;
        }

        var path = Path.Combine(folder, Name);
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 20, FileOptions.SequentialScan);
        var found = Convert.ToHexStringLower(SHA256.HashData(stream));
        return found == Sha256 ? null : $"{path}: damaged: expected SHA-256 {Sha256}, found {found}";
    }
}

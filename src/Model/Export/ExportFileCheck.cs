using System.Security.Cryptography;

namespace ActorTrainer.Model.Export;

/// <summary>Compares a file with what the manifest says of it.</summary>
internal static class ExportFileCheck
{
    private const int BufferBytes = 1 << 20;

    /// <summary>What is wrong with the file's presence or size, or null.</summary>
    public static string? SizeProblem(string folder, ExportFile file)
    {
        var info = new FileInfo(Path.Combine(folder, file.Name));
        return info.Exists && info.Length == file.Bytes ? null
            : $"{info.FullName}: expected {file.Bytes} bytes, found {(info.Exists ? info.Length.ToString() : "no file")}";
    }

    /// <summary>What is wrong with the file, its content included, or null.</summary>
    public static string? Problem(string folder, ExportFile file, CancellationToken cancellation)
    {
        if (SizeProblem(folder, file) is { } problem)
        {
            return problem;
        }

        var path = Path.Combine(folder, file.Name);
        var found = Hash(path, cancellation);
        return found == file.Sha256 ? null : $"{path}: damaged: expected SHA-256 {file.Sha256}, found {found}";
    }

    private static string Hash(string path, CancellationToken cancellation)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1);
        var buffer = new byte[BufferBytes];
        for (int count; (count = stream.Read(buffer)) > 0;)
        {
            cancellation.ThrowIfCancellationRequested();
            hash.AppendData(buffer, 0, count);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}

namespace ActorTrainer.Model.Common;

/// <summary>
/// Files that only their owner may read, at no time anybody else. Where there are no Unix modes, access is left to the folder's own rules.
/// </summary>
public static class PrivateFile
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Writes a file of mode 0600, atomically; the bytes pass through no buffer that would stay.</summary>
    public static void Write(string path, ReadOnlyMemory<byte> bytes) => AtomicFile.Write(path, stream =>
    {
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(stream.SafeFileHandle, OwnerOnly);
        }

        RandomAccess.Write(stream.SafeFileHandle, bytes.Span, 0);
    });

    /// <summary>Makes a folder of mode 0700; folders above it that are missing have the usual mode.</summary>
    public static void CreateFolder(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(path);
            return;
        }

        if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } above)
        {
            Directory.CreateDirectory(above);
        }

        Directory.CreateDirectory(path, OwnerOnly | UnixFileMode.UserExecute);
    }

    /// <summary>Refuses a file that others may read or change.</summary>
    /// <exception cref="RefusedException">They may; tells the command that mends it.</exception>
    public static void RequirePrivate(string path)
    {
        if (!OperatingSystem.IsWindows() && File.GetUnixFileMode(path) is var mode && (mode & ~(OwnerOnly | UnixFileMode.UserExecute)) != 0)
        {
            throw new RefusedException(
                $"{path}: expected a file that only its owner may read (mode 600), found mode {Convert.ToString((int)mode, 8)}. Whoever read it has it: make it new if that may be, else run chmod 600 '{path}'.");
        }
    }
}

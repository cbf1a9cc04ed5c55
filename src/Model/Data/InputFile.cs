using ActorTrainer.Model.Common;

namespace ActorTrainer.Model.Data;

/// <summary>Opens files that the user named.</summary>
internal static class InputFile
{
    /// <exception cref="RefusedException">The file cannot be opened.</exception>
    public static FileStream Open(string file)
    {
        try
        {
            return new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 1 << 16, FileOptions.SequentialScan);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RefusedException($"{file}: cannot be read: {e.Message}", e);
        }
    }
}

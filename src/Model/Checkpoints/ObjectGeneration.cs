namespace ActorTrainer.Model.Checkpoints;

/// <summary>
/// Generation of an object's file, kept as its time of change (seconds since 1970): it appears with the name in one rename, and every
/// process that shares the folder sees it. Real times of change lie beyond the largest generation, so other files have none.
/// </summary>
internal static class ObjectGeneration
{
    /// <summary>Generation of a file, <see cref="ContentStore.NoGeneration"/> when it has none or is not there.</summary>
    public static long Of(string path)
    {
        var file = new FileInfo(path);
        if (!file.Exists)
        {
            return ContentStore.NoGeneration;
        }

        var seconds = (file.LastWriteTimeUtc - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerSecond;
        return seconds is >= 0 and <= ContentStore.MaxGeneration ? seconds : ContentStore.NoGeneration;
    }

    /// <summary>Gives a file a generation; <see cref="ContentStore.NoGeneration"/> leaves it as it is.</summary>
    public static void Set(string path, long generation)
    {
        if (generation != ContentStore.NoGeneration)
        {
            File.SetLastWriteTimeUtc(path, DateTime.UnixEpoch.AddSeconds(generation));
        }
    }
}

namespace ActorTrainer.Tests;

/// <summary>Real data beside the checkout, when it is there; tests that want it do nothing without it.</summary>
internal static class SharedData
{
    /// <summary>Full path of <paramref name="relative"/> inside the shared data folder, or null when this machine has none.</summary>
    public static string? Find(string relative)
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var candidate = Path.Combine(folder.FullName, "shared", "data", relative);
            if (Path.Exists(candidate))
            {
                return candidate;
            }
        }

        return null;
    }
}

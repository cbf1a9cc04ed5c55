namespace ActorTrainer.Host.Cluster.Local;

/// <summary>How to start this program again.</summary>
/// <param name="File">Executable.</param>
/// <param name="Words">Words before the program's own.</param>
internal sealed record ProgramCommand(string File, IReadOnlyList<string> Words)
{
    /// <summary>The program as it runs now: its own executable, or <c>dotnet actortrainer.dll</c> when something else was started (tests too).</summary>
    public static ProgramCommand Current()
    {
        var program = typeof(ProgramCommand).Assembly;
        return Environment.ProcessPath is { } path && Path.GetFileNameWithoutExtension(path) == program.GetName().Name
            ? new ProgramCommand(path, [])
            : new ProgramCommand("dotnet", [Path.Combine(AppContext.BaseDirectory, $"{program.GetName().Name}.dll")]);
    }

    /// <summary>A whole command line.</summary>
    public (string File, IReadOnlyList<string> Words) With(IEnumerable<string> words) => (File, [.. Words, .. words]);
}

using ActorTrainer.Host.Cli;
using ActorTrainer.Host.Reports;

namespace ActorTrainer.Host.Commands;

/// <summary><c>compare-runs A B</c>: where two runs part.</summary>
internal static class CompareRunsCommand
{
    /// <summary>Compares; exit code 0 when the runs agree, 1 when not.</summary>
    public static Task<int> Run(CommandContext context, CancellationToken cancellation)
    {
        var comparison = CompareRuns.Compare(Folder(context, 0), Folder(context, 1));
        return Task.FromResult(CompareRuns.Print(comparison, context.Out));
    }

    /// <summary>A name under base_dir, or a folder.</summary>
    private static string Folder(CommandContext context, int index)
    {
        var argument = context.Arguments[index];
        var underBase = Path.Combine(context.Run.BaseDir, argument);
        return Directory.Exists(underBase) ? underBase : argument;
    }
}

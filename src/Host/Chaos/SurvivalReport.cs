using System.Globalization;
using System.Text;
using System.Text.Json;
using ActorTrainer.Host.Reports;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Host.Chaos;

/// <summary>What a disturbed run has survived.</summary>
internal sealed record SurvivalReport
{
    private static readonly string[] Columns = ["#", "fault", "node", "at step", "detected s", "recovered s", "replayed", "digests equal", "note"];

    public required ulong Seed { get; init; }

    public required long Steps { get; init; }

    /// <summary>How links were cut, for people.</summary>
    public required string Network { get; init; }

    public required IReadOnlyList<Survival> Faults { get; init; }

    /// <summary>Whether each thing that must be so is so; the reasons of those that are not.</summary>
    public required IReadOnlyList<ChaosCheck> Checks { get; init; }

    /// <summary>Seconds of the undisturbed run; null when it was not run now.</summary>
    public double? UndisturbedSeconds { get; init; }

    /// <summary>Seconds of the disturbed run.</summary>
    public double DisturbedSeconds { get; init; }

    /// <summary>Whether everything is as it must be.</summary>
    public bool Survived => Checks.All(check => check.Ok);

    /// <summary>Aligned columns for a terminal.</summary>
    public string ToText()
    {
        List<IReadOnlyList<string>> rows = [Columns, .. Faults.Select(Cells)];
        var widths = Columns.Select((_, column) => rows.Max(row => row[column].Length)).ToList();
        var text = new StringBuilder();
        foreach (var row in rows)
        {
            text.AppendLine(string.Join("  ", row.Select((cell, i) => Numeric(i) ? cell.PadLeft(widths[i]) : cell.PadRight(widths[i]))).TrimEnd());
        }

        foreach (var check in Checks)
        {
            text.AppendLine($"{(check.Ok ? "ok    " : "FAILED")}  {check.What}{(check.Reason.Length > 0 ? ": " + check.Reason : "")}");
        }

        return text.ToString().ReplaceLineEndings("\n");
    }

    /// <summary>A table for documents.</summary>
    public string ToMarkdown()
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{Faults.Count} faults in {Steps} steps, seed {Seed}. Network: {Network}.\n\n");
        text.Append($"| {string.Join(" | ", Columns)} |\n|{string.Concat(Columns.Select((_, i) => Numeric(i) ? "---:|" : "---|"))}\n");
        foreach (var row in Faults.Select(Cells))
        {
            text.Append($"| {string.Join(" | ", row)} |\n");
        }

        text.Append('\n');
        foreach (var check in Checks)
        {
            text.Append($"- {(check.Ok ? "ok" : "**failed**")}: {check.What}{(check.Reason.Length > 0 ? " (" + check.Reason + ")" : "")}\n");
        }

        return text.ToString();
    }

    /// <summary>Writes chaos.json and chaos.md.</summary>
    public void Save(string folder)
    {
        AtomicFile.WriteText(Path.Combine(folder, "chaos.json"), JsonSerializer.Serialize(this, ReportJson.Document) + "\n");
        AtomicFile.WriteText(Path.Combine(folder, "chaos.md"), ToMarkdown());
    }

    private static bool Numeric(int column) => column is 0 or (>= 3 and <= 6);

    private static IReadOnlyList<string> Cells(Survival fault) =>
    [
        fault.Number.ToString(CultureInfo.InvariantCulture),
        fault.Fault,
        fault.Nodes,
        fault.AtStep.ToString(CultureInfo.InvariantCulture),
        Seconds(fault.DetectedSeconds),
        fault.RecoveredSeconds is null ? "never" : Seconds(fault.RecoveredSeconds),
        fault.Replayed.ToString(CultureInfo.InvariantCulture),
        fault.DigestsEqual switch { true => "yes", false => "NO", null => "–" },
        fault.Note,
    ];

    private static string Seconds(double? seconds) => seconds is { } s ? s.ToString("0.0", CultureInfo.InvariantCulture) : "–";
}

/// <summary>Something that must be so after a disturbed run.</summary>
/// <param name="What">What, for people.</param>
/// <param name="Ok">Whether it is.</param>
/// <param name="Reason">Numbers, or why not.</param>
internal sealed record ChaosCheck(string What, bool Ok, string Reason);

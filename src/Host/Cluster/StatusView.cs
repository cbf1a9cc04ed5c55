using System.Globalization;
using ActorTrainer.Actors.Protocol;
using ActorTrainer.Host.Views;
using Spectre.Console;

namespace ActorTrainer.Host.Cluster;

/// <summary>A cluster's status for people: tables on a terminal, aligned lines elsewhere.</summary>
internal static class StatusView
{
    private static readonly string[] Columns = ["node", "roles", "data plane", "cores", "memory", "GFLOP/s", "last beat", "state"];

    /// <summary>On a terminal.</summary>
    public static void Draw(IAnsiConsole console, ClientProtocol.Status status)
    {
        console.WriteLine(Heading(status));
        var table = new Table().Border(TableBorder.Rounded);
        foreach (var column in Columns)
        {
            table.AddColumn(new TableColumn(column));
        }

        foreach (var row in Rows(status))
        {
            table.AddRow([.. row.Select(cell => new Text(cell))]);
        }

        console.Write(table);
        foreach (var line in RunLines(status.Run))
        {
            console.WriteLine(line);
        }
    }

    /// <summary>As plain text.</summary>
    public static void Print(TextWriter output, ClientProtocol.Status status)
    {
        output.WriteLine(Heading(status));
        List<IReadOnlyList<string>> rows = [Columns, .. Rows(status)];
        var widths = Columns.Select((_, column) => rows.Max(row => row[column].Length)).ToList();
        foreach (var row in rows)
        {
            output.WriteLine(("  " + string.Join("  ", row.Select((cell, column) => cell.PadRight(widths[column])))).TrimEnd());
        }

        foreach (var line in RunLines(status.Run))
        {
            output.WriteLine(line);
        }
    }

    private static string Heading(ClientProtocol.Status status) =>
        $"{status.Nodes.Count} {(status.Nodes.Count == 1 ? "node" : "nodes")}, coordinated by {status.Coordinator} (take-over {status.Term})";

    private static IEnumerable<IReadOnlyList<string>> Rows(ClientProtocol.Status status) =>
        from node in status.Nodes
        orderby node.Node.Name
        let report = node.Node
        select (IReadOnlyList<string>)
        [
            report.Name,
            string.Join(',', report.Roles),
            report.DataAddress,
            Invariant($"{report.Cores}"),
            Invariant($"{report.MemoryBytes / (1024.0 * 1024):N0} MiB"),
            Invariant($"{report.Speed:0.0}"),
            Invariant($"{node.SecondsSinceBeat:0.0} s ago"),
            node.State,
        ];

    private static IEnumerable<string> RunLines(RunStatus? run)
    {
        if (run is null)
        {
            yield return "no run yet";
            yield break;
        }

        yield return $"run {run.Name}: {run.State}";
        yield return Invariant($"  attempt {run.Attempt}, step {run.Step:N0}, last commit at step {run.CommittedStep:N0}, {Format.Percent(run.Budget)} of the budget");
        foreach (var stage in run.Stages)
        {
            yield return "  " + stage;
        }
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}

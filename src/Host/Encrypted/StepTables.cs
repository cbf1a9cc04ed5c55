using System.Globalization;
using ActorTrainer.Actors.Encrypted;
using ActorTrainer.Actors.Encrypted.Planning;
using ActorTrainer.Host.Encrypted.Planning;
using ActorTrainer.Host.Reports;

namespace ActorTrainer.Host.Encrypted;

/// <summary>What the steps of an encrypted run took, as tables: levels of each block, and refreshes and waits of each stage.</summary>
internal static class StepTables
{
    /// <summary>Levels and refreshes by block; units that are alike have one row for all.</summary>
    public static void WriteLevels(TextWriter output, EncryptedPlan plan)
    {
        output.WriteLine("  levels by block: the highest computed at, the lowest left (plan)");
        var table = new TextTable("units", "block", "forward", "backward", "update", "refreshes");
        foreach (var alike in Runs(plan.Units))
        {
            var label = alike.Count == 1 ? alike[0].Name : $"{alike[0].Name} to {alike[^1].Name}";
            // What is only done between micro-batches adds at levels that the other passes have.
            foreach (var block in alike[0].Blocks.Where(block => block.Pass != PlanPass.Sum).GroupBy(block => block.Name))
            {
                table.Add(label, block.Key, Levels(block, PlanPass.Forward), Levels(block, PlanPass.Backward), Levels(block, PlanPass.Step), Count(block.Sum(part => part.Refreshes)));
                label = "";
            }
        }

        table.Write(output);
    }

    /// <summary>Refreshes and waits of each stage, over all steps seen.</summary>
    /// <param name="folder">Folder of the run, with its metrics.</param>
    public static void WriteStages(TextWriter output, string folder)
    {
        var steps = RunMetrics.Read(folder).Steps;
        if (StageTotal.Of(steps) is not { } stages)
        {
            return;
        }

        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  stages over {steps.Count:N0} steps: waiting is until answers are back, over the network too"));
        var table = new TextTable("stage", "refreshes", "s computing", "s waiting for the owner", "share");
        foreach (var stage in stages)
        {
            table.Add(
                Count(stage.Stage), Count(stage.Refreshed), Seconds(stage.ComputeSeconds), Seconds(stage.OwnerSeconds),
                string.Create(CultureInfo.InvariantCulture, $"{100 * stage.OwnerSeconds / (stage.ComputeSeconds + stage.OwnerSeconds):0.0} %"));
        }

        table.Write(output);
    }

    /// <summary>Units one after the other whose blocks are the same.</summary>
    private static List<List<UnitPlan>> Runs(IReadOnlyList<UnitPlan> units)
    {
        var runs = new List<List<UnitPlan>>();
        foreach (var unit in units)
        {
            if (runs.Count > 0 && runs[^1][0].Blocks.SequenceEqual(unit.Blocks))
            {
                runs[^1].Add(unit);
            }
            else
            {
                runs.Add([unit]);
            }
        }

        return runs;
    }

    private static string Levels(IEnumerable<BlockLevels> block, PlanPass pass) =>
        block.FirstOrDefault(part => part.Pass == pass && part.Highest >= 0) is { } found ? string.Create(CultureInfo.InvariantCulture, $"{found.Highest}–{found.Lowest}") : "";

    private static string Count(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    private static string Seconds(double seconds) => seconds.ToString("0.0", CultureInfo.InvariantCulture);
}

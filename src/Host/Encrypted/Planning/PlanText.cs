using System.Globalization;
using ActorTrainer.Actors.Encrypted.Planning;
using ActorTrainer.He.Backends;
using ActorTrainer.He.Tensors;
using ActorTrainer.He.Wire;

namespace ActorTrainer.Host.Encrypted.Planning;

/// <summary>A plan as tables for people.</summary>
internal static class PlanText
{
    private static readonly string[] PassNames = ["forward", "backward", "sum", "step"];

    /// <summary>Writes all tables.</summary>
    public static void Write(TextWriter output, PlanReport report)
    {
        Head(output, report);
        Blocks(output, report);
        Stages(output, report);
        Traffic(output, report);
        Nodes(output, report);
    }

    private static void Head(TextWriter output, PlanReport report)
    {
        var (plan, recipe, speed) = (report.Plan, report.Recipe, report.Speed);
        var (packing, arch) = (plan.Packing, recipe.Arch);
        output.WriteLine(Invariant($"plan of {report.Name}, {report.Task}: {arch.Layers} layers of {arch.Hidden}, {arch.Heads} heads, feed-forward {arch.FeedForward}, {plan.Outputs} outputs"));
        output.WriteLine($"  {string.Join("; ", report.Sources)}");
        output.WriteLine($"  {plan.Parameters}");
        output.WriteLine(Invariant(
            $"  {packing.Tokens} tokens of {Many(packing.Batch, "example")} in {Many(packing.Hidden.Ciphertexts, "ciphertext")} an activation, {Many(SlotMaps.ShiftGroups(packing), "mask")}; {Many(report.MicroBatches, "micro-batch", "es")} a step"));
        output.WriteLine(Invariant($"  the owner encrypts inputs at level {plan.Levels.Inputs}, masks at {plan.Levels.Masks}, targets at {plan.Levels.Targets}: {Mega(MicroBatchBytes(plan))} MB a micro-batch"));
        output.WriteLine(Invariant($"  nodes of {speed.Cores} cores{(speed.Cores == speed.Costs.Parallelism ? "" : $" (times of {speed.Costs.Parallelism} threads divided in proportion, not measured)")}, owner of {speed.Owner.Cores} cores, network {speed.Owner.BytesPerSecond / 125_000:0} Mbit/s, caches of {speed.CacheBytes >> 20} MiB"));
    }

    private static void Blocks(TextWriter output, PlanReport report)
    {
        var speed = report.Speed;
        output.WriteLine();
        output.WriteLine("Blocks. Forward and backward are for each micro-batch, sums for each but the first, steps once. Levels: highest and lowest. Seconds: of one node, without and with encoded diagonals in a cache.");
        var table = new TextTable("unit", "pass", "block", "levels", "refreshes", "operations", "key switches", "s", "s cached");
        foreach (var (label, unit, _) in report.Distinct)
        {
            var first = true;
            foreach (var pass in unit.Blocks.GroupBy(block => block.Pass))
            {
                foreach (var block in pass)
                {
                    table.Add(first ? label : "", PassNames[(int)pass.Key], block.Name, Levels(block), Count(block.Refreshes), Count(block.Operations), Count(block.KeySwitches), Seconds(block.Seconds(speed.Costs, 0) * speed.Factor), Seconds(block.Seconds(speed.Costs, 1) * speed.Factor));
                    first = false;
                }

                if (pass.Count() > 1)
                {
                    table.Add("", PassNames[(int)pass.Key], "together", "", Count(pass.Sum(block => block.Refreshes)), Count(pass.Sum(block => block.Operations)), Count(pass.Sum(block => block.KeySwitches)), Seconds(pass.Sum(block => block.Seconds(speed.Costs, 0)) * speed.Factor), Seconds(pass.Sum(block => block.Seconds(speed.Costs, 1)) * speed.Factor));
                }
            }
        }

        table.Write(output);
        var counts = report.Plan.Counts(report.MicroBatches);
        output.WriteLine(Invariant($"  a step of the model: {Count(report.Plan.Refreshes(report.MicroBatches))} refreshes, {string.Join(", ", Enum.GetValues<Operation>().Select(o => (o, Sum: counts.Where(c => c.Key.Operation == o).Sum(c => c.Value))).Where(pair => pair.Sum > 0).Select(pair => $"{Count(pair.Sum)} {pair.o}"))}"));
    }

    private static void Stages(TextWriter output, PlanReport report)
    {
        output.WriteLine();
        output.WriteLine(Invariant($"Stages. Units are spread by predicted time. MiB: keys, ciphertexts at most, all encoded diagonals and those that the cache of {report.Speed.CacheBytes >> 20} MiB holds; without weights in the clear."));
        var table = new TextTable("stage", "units", "keys", "MiB keys", "ciphertexts", "diagonals", "cached", "MiB in all", "s a step");
        for (var s = 0; s < report.Cut.Stages.Count; s++)
        {
            var stage = report.Cut.Stages[s];
            table.Add(
                Invariant($"{s}"), stage.Units.Count == 1 ? stage.Units[0].Name : $"{stage.Units[0].Name} to {stage.Units[^1].Name}", Count(stage.Keys.Count), Mebi(stage.KeyBytes), Mebi(stage.CiphertextBytes), Mebi(stage.DiagonalBytes),
                Mebi(stage.HeldBytes), Mebi(stage.Bytes), Seconds(report.Cut.Compute[s]));
        }

        table.Write(output);
        var keys = report.Plan.Keys;
        output.WriteLine(Invariant($"  all {keys.Count} keys: {Mega(WireSize.EvaluationKeys(report.Plan.Parameters, keys))} MB as a file"));
    }

    private static void Traffic(TextWriter output, PlanReport report)
    {
        var (cut, count) = (report.Cut, report.MicroBatches);
        output.WriteLine();
        output.WriteLine(Invariant($"Traffic of a step of {Many(count, "micro-batch", "es")}, MB. A refreshed ciphertext that was never computed on is smaller than said here."));
        var table = new TextTable("from", "to", "MB", "what");
        table.Add("owner", "stage 0", Mega(count * (MicroBatchBytes(report.Plan) - TargetBytes(report.Plan))), "inputs and masks");
        table.Add("owner", Invariant($"stage {cut.Stages.Count - 1}"), Mega(count * TargetBytes(report.Plan)), "targets");
        for (var s = 0; s + 1 < cut.Stages.Count; s++)
        {
            table.Add(Invariant($"stage {s}"), Invariant($"stage {s + 1}"), Mega(count * cut.Stages[s].BytesOn), "activations and masks");
            table.Add(Invariant($"stage {s + 1}"), Invariant($"stage {s}"), Mega(count * cut.Stages[s + 1].BytesBack), "gradients");
        }

        foreach (var (s, owner) in cut.Stages.Select(stage => OwnerTraffic.Of(report.Plan.Parameters, stage.Units, count, report.Speed.Owner)).Index().Where(entry => entry.Item.Requests > 0))
        {
            table.Add(Invariant($"stage {s}"), "owner", Mega(owner.ToOwner), Invariant($"{Count(owner.Ciphertexts)} ciphertexts in {Count(owner.Requests)} requests for refreshes"));
            table.Add("owner", Invariant($"stage {s}"), Mega(owner.FromOwner), "the same, refreshed");
        }

        table.Write(output);
    }

    private static void Nodes(TextWriter output, PlanReport report)
    {
        var units = report.Plan.Units.Count;
        output.WriteLine();
        output.WriteLine("Nodes. Seconds a step from the schedule of the pipeline; owner: seconds that its cores are busy, below which no step goes. A pipeline has at most a stage a unit.");
        var table = new TextTable("nodes", "stages", "s a step", "s of the slowest stage", "idle", "owner s", "MB between stages", "MB to and from the owner", "MiB of the largest stage");
        foreach (var forecast in report.Nodes)
        {
            table.Add(
                Invariant($"{forecast.Nodes}"), Invariant($"{forecast.Stages.Count}"), Seconds(forecast.Seconds), Seconds(forecast.Compute.Max()), Invariant($"{100 * forecast.Bubble:0} %"), Seconds(forecast.OwnerSeconds),
                Mega(forecast.StageBytes(report.MicroBatches)), Mega(forecast.Owner.ToOwner + forecast.Owner.FromOwner), Mebi(forecast.Stages.Max(stage => stage.Bytes)));
        }

        table.Write(output);
        if (report.Nodes.LastOrDefault(forecast => forecast.Nodes > units) is { } most)
        {
            output.WriteLine(Invariant($"  {most.Nodes - units} of {most.Nodes} nodes would be idle: the model has {units} encrypted units. Cores of a node help further: cores=N."));
        }

        if (report.Nodes.Count > 0 && report.Nodes[^1].Seconds <= report.Nodes[^1].OwnerSeconds)
        {
            output.WriteLine("  the owner is the slowest part at the end: more cores of the owner help, more nodes do not (owner_cores=N).");
        }
    }

    /// <summary>Bytes of a micro-batch as the owner encrypts it.</summary>
    public static long MicroBatchBytes(ModelPlan plan) =>
        (plan.Packing.Hidden.Ciphertexts * Fresh(plan, plan.Levels.Inputs)) + (SlotMaps.ShiftGroups(plan.Packing) * Fresh(plan, plan.Levels.Masks)) + TargetBytes(plan);

    /// <summary>Bytes of its targets.</summary>
    public static long TargetBytes(ModelPlan plan) => plan.Outputs * Fresh(plan, plan.Levels.Targets);

    private static long Fresh(ModelPlan plan, int level) => WireSize.Ciphertext(plan.Parameters, level, seeded: true);

    private static string Levels(PlannedBlock block) => block.Highest < 0 ? "" : Invariant($"{block.Highest}–{block.Lowest}");

    private static string Many(int count, string what, string plural = "s") => Invariant($"{count} {what}{(count == 1 ? "" : plural)}");

    private static string Count(long value) => value == 0 ? "" : value.ToString("N0", CultureInfo.InvariantCulture);

    private static string Seconds(double value) => value.ToString(value < 9.995 ? "0.00" : value < 99.95 ? "0.0" : "N0", CultureInfo.InvariantCulture);

    private static string Mebi(long bytes) => (bytes / 1048576.0).ToString("N0", CultureInfo.InvariantCulture);

    private static string Mega(long bytes) => (bytes / 1e6).ToString(bytes < 1e7 ? "0.0" : "N0", CultureInfo.InvariantCulture);

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}

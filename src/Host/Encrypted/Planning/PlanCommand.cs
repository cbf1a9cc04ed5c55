using System.Globalization;
using ActorTrainer.Actors.Encrypted.Planning;
using ActorTrainer.He.Parameters;
using ActorTrainer.Host.Cli;
using ActorTrainer.Host.Commands;
using ActorTrainer.Host.Configuration;
using ActorTrainer.Host.FineTuning;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Host.Encrypted.Planning;

/// <summary><c>plan</c>: what encrypted fine-tuning will take.</summary>
/// <param name="measure">Measures costs of a parameter set with so many threads.</param>
/// <param name="time">Clock.</param>
internal sealed class PlanCommand(Func<CkksParameters, int, PlanCosts> measure, TimeProvider time)
{
    private const int MaxNodes = 4096;

    /// <summary>Plans, writes plan.json and plan.png, and prints the tables.</summary>
    public Task<int> Run(CommandContext context, CancellationToken stop)
    {
        var run = context.Run;
        var archGiven = PretrainedModel.IsArchGiven(context.Words);
        var progress = new PhaseProgress(context.Out, context.Console.Profile.Out.IsTerminal, time);
        var cores = Number(context, "cores", run.Cluster.Cores);
        var (ownerCores, network, nodes) = (Number(context, "owner_cores", 4), Number(context, "network", 1000), Nodes(context));
        using var subject = PlanSubject.Of(run, archGiven);
        var (rest, rows) = (run.Eval.BatchSize % subject.Packing.Batch, subject.Packing.Batch);
        var microBatches = rest == 0 ? run.Eval.BatchSize / rows
            : throw new RefusedException($"eval.batch_size={run.Eval.BatchSize} is no multiple of the {rows} examples of a micro-batch (he.batch): take {run.Eval.BatchSize + rows - rest}, or another he.batch.");
        EncryptedCut.Require(run.Pipeline, subject.Recipe.Units.Count);
        var partition = EncryptedCut.Given(run.Pipeline, subject.Recipe.Units.Count);
        var folder = Path.Combine(run.RunFolder, "plan");
        Directory.CreateDirectory(folder);
        var (costs, origin) = Costs(context, run, subject.Parameters, folder, progress);
        progress.Report("planning");
        var plan = subject.Plan(costs.Operations, stop);
        var speed = new NodeSpeed(costs.Operations, cores > 0 ? cores : costs.Operations.Parallelism, (long)run.He.Cache << 20, subject.Recipe.KeyBytes, costs.Owner(ownerCores, network * 125_000.0));
        var kind = run.Pipeline.Schedule;
        var report = new PlanReport
        {
            Name = run.Name,
            Recipe = subject.Recipe,
            Task = subject.Task.Name,
            Sources = [.. subject.Sources, origin],
            Plan = plan,
            Speed = speed,
            MicroBatches = microBatches,
            Cut = partition is null ? StepForecast.Of(plan, run.Pipeline.Stages, kind, microBatches, speed) : StepForecast.Of(plan, partition, kind, microBatches, speed),
            Nodes = [.. (nodes ?? Powers(plan.Units.Count)).Select(count => StepForecast.Of(plan, count, kind, microBatches, speed))],
        };
        PlanText.Write(context.Out, report);
        AtomicFile.WriteText(Path.Combine(folder, "plan.json"), PlanJson.Of(report));
        PlanPicture.Save(Path.Combine(folder, "plan.png"), report);
        progress.Done($"picture {Path.Combine(folder, "plan.png")}, figures {Path.Combine(folder, "plan.json")}");
        return Task.FromResult(App.Done);
    }

    /// <summary>1, 2, 4, … up to a node for each unit.</summary>
    private static IReadOnlyList<int> Powers(int units)
    {
        var powers = new List<int>();
        for (var n = 1; n < units; n *= 2)
        {
            powers.Add(n);
        }

        return [.. powers, units];
    }

    private (PlanCosts Costs, string Origin) Costs(CommandContext context, RunConfiguration run, CkksParameters parameters, string folder, PhaseProgress progress)
    {
        var named = context.Option("costs");
        var path = named ?? Path.Combine(folder, PlanCosts.FileName);
        var (threads, known) = (run.He.ThreadCount(), PlanCosts.Load(path));
        if (known is not null && known.Operations.Set == parameters.Name && (named is not null || known.Operations.Parallelism == threads))
        {
            return (known, Describe(known));
        }

        if (known is not null && named is not null)
        {
            throw new RefusedException($"costs={path}: costs of {known.Operations.Set}, but he.set is {parameters.Name}. Name another file; where there is none, costs are measured.");
        }

        progress.Report($"measuring costs of {parameters.Name} with {threads} threads");
        var measured = measure(parameters, threads);
        measured.Save(path);
        return (measured, Describe(measured));

        string Describe(PlanCosts costs) => string.Create(CultureInfo.InvariantCulture, $"costs with {costs.Operations.Parallelism} threads, measured {costs.Measured:yyyy-MM-dd HH:mm} ({path})");
    }

    private static int Number(CommandContext context, string option, int otherwise) => context.Option(option) is not { } text ? otherwise
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0 ? number
        : throw new RefusedException($"{option}={text}: expected a whole number above 0.");

    private static IReadOnlyList<int>? Nodes(CommandContext context)
    {
        if (context.Option("nodes") is not { } text)
        {
            return null;
        }

        var numbers = text.Trim('[', ']').Split(',', StringSplitOptions.TrimEntries).Select(part => int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? n : 0).ToArray();
        return numbers.All(n => n is > 0 and <= MaxNodes)
            ? [.. numbers.Distinct().Order()]
            : throw new RefusedException($"nodes={text}: expected numbers of nodes from 1 to {MaxNodes} with commas between, e.g. nodes=1,8,64.");
    }
}

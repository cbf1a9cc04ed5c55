using ActorTrainer.Actors;
using ActorTrainer.Actors.Schedules;
using ActorTrainer.Host.Encrypted;
using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Common;
using ActorTrainer.Model.Data;
using ActorTrainer.Model.Optimisation;

namespace ActorTrainer.Host.Configuration;

/// <summary>Rules between keys, each of which is fine alone.</summary>
public static class ConfigChecks
{
    /// <summary>What is wrong, a sentence each; empty when the run can start.</summary>
    /// <param name="readsModel">See <see cref="ConfigProfile.ReadsModel"/>.</param>
    public static IEnumerable<string> Problems(RunConfiguration run, bool readsModel = false) =>
        Shape(run.Arch).Concat(Recipe(run)).Concat(Source(run.Data)).Concat(Cut(run.Pipeline, readsModel ? null : run.Arch.Layers + 2)).Concat(HeChecks.Problems(run.He));

    private static IEnumerable<string> Shape(BertConfig arch)
    {
        string? complaint = null;
        try
        {
            arch.Validate();
        }
        catch (RefusedException e)
        {
            complaint = e.Message;
        }

        if (complaint is not null)
        {
            yield return complaint;
        }
    }

    private static IEnumerable<string> Recipe(RunConfiguration run)
    {
        var train = run.Train;
        var predicted = (int)Math.Round(train.MlmProbability * run.Arch.Sequence);
        if (predicted < 1)
        {
            yield return $"train.mlm_probability={train.MlmProbability} of arch.sequence={run.Arch.Sequence} tokens leaves no position to predict; raise one of them.";
        }

        if (train.BudgetUnit != BudgetUnit.Hours && train.Budget != Math.Floor(train.Budget))
        {
            yield return $"train.budget.amount={train.Budget} must be a whole number when train.budget.unit={(train.BudgetUnit == BudgetUnit.Steps ? "steps" : "tokens")}.";
        }

        if (run.Ranges.Penalty > 0 && RangeTraining.TotalSteps(train, run.Arch) is null)
        {
            yield return "train.range.penalty works in the last steps of a budget, so their number must be known: give train.budget.unit=steps, or tokens with train.batch_ramp=0.";
        }

        if (train.BatchRamp > 0 && run.Impl.MicroBatchSize > train.BatchSize)
        {
            yield return $"impl.microbatch_size={run.Impl.MicroBatchSize} is above train.batch_size={train.BatchSize}, but with train.batch_ramp={train.BatchRamp} "
                + "the batch grows from one micro-batch; lower impl.microbatch_size or set train.batch_ramp=0.";
        }
    }

    private static IEnumerable<string> Source(DataOptions data)
    {
        if (data.Source == DataSourceKind.Sample)
        {
            foreach (var (key, path) in new[] { ("data.path", data.Path), ("data.valid_path", data.ValidPath) }.Where(pair => pair.Item2.Length > 0))
            {
                yield return $"{key}={path} has no use with data.source=sample, which makes its own text; choose data=text, data=jsonl or data=pile-readymade.";
            }
        }
        else if (data.Path.Length == 0)
        {
            yield return $"data.path is empty, but data.source={data.Source.ToString().ToLowerInvariant()} reads a file or folder; name it with data.path=…";
        }
    }

    /// <param name="units">Null: to be seen when the model is read.</param>
    private static IEnumerable<string> Cut(PipelineOptions pipeline, int? units)
    {
        var what = $"{units} units ({units - 2} layers, embedding, head)";
        var parts = (long)pipeline.Stages * pipeline.Chunks;
        if (pipeline.Schedule == ScheduleKind.Interleaved && pipeline.Chunks < 2)
        {
            yield return "pipeline.schedule=interleaved needs pipeline.chunks of 2 or more; with one part a stage, pipeline.schedule=1f1b is the same.";
        }
        else if (pipeline.Schedule != ScheduleKind.Interleaved && pipeline.Chunks > 1)
        {
            yield return $"pipeline.chunks={pipeline.Chunks} needs pipeline.schedule=interleaved; gpipe and 1f1b hold one part a stage.";
        }

        if (units is not null && parts > units)
        {
            yield return $"pipeline.stages={pipeline.Stages} times pipeline.chunks={pipeline.Chunks} is {parts} parts, but the model has only {what}, and no part may be empty.";
        }

        if (pipeline.Cut.Count == 0)
        {
            yield break;
        }

        var cut = "[" + string.Join(",", pipeline.Cut) + "]";
        if (pipeline.Cut.Count != parts)
        {
            yield return $"pipeline.cut={cut} names {pipeline.Cut.Count} parts, but pipeline.stages={pipeline.Stages} times pipeline.chunks={pipeline.Chunks} is {parts}.";
        }

        var sum = pipeline.Cut.Sum(count => (long)count);
        if (units is not null && sum != units)
        {
            yield return $"pipeline.cut={cut} sums to {sum}, but the model has {what}.";
        }
    }
}

using System.Collections.Immutable;
using ActorTrainer.Actors.Protocol;

namespace ActorTrainer.Actors.Evaluation;

/// <summary>How far a request is.</summary>
/// <param name="Request">The request.</param>
/// <param name="Jobs">Its jobs.</param>
/// <param name="Waiting">Jobs that nobody computes.</param>
/// <param name="Outputs">Outputs of the jobs that are done.</param>
/// <param name="FailedOn">Evaluators that each job failed on, once for each failure.</param>
public sealed record EvaluationProgress(
    EvaluationProtocol.Evaluate Request,
    IReadOnlyList<EvaluationJob> Jobs,
    ImmutableSortedSet<int> Waiting,
    ImmutableDictionary<int, float[]> Outputs,
    ImmutableDictionary<int, ImmutableList<int>> FailedOn)
{
    /// <summary>Nothing is done yet.</summary>
    public static EvaluationProgress Start(EvaluationProtocol.Evaluate request, IReadOnlyList<EvaluationJob> jobs) => new(
        request, jobs, [.. Enumerable.Range(0, jobs.Count)], ImmutableDictionary<int, float[]>.Empty, ImmutableDictionary<int, ImmutableList<int>>.Empty);

    /// <summary>Whether a job was dealt.</summary>
    public bool HasBegun => Waiting.Count < Jobs.Count || !FailedOn.IsEmpty;

    /// <summary>Whether all jobs are done.</summary>
    public bool IsDone => Outputs.Count == Jobs.Count;

    /// <summary>Failures of a job.</summary>
    public int Failures(int job) => FailedOn.GetValueOrDefault(job)?.Count ?? 0;

    /// <summary>The first waiting job for an evaluator; one that failed there only if it failed everywhere. Null: none.</summary>
    public int? Next(int evaluator, IEnumerable<int> evaluators)
    {
        foreach (var job in Waiting)
        {
            var failed = FailedOn.GetValueOrDefault(job, []);
            if (!failed.Contains(evaluator) || evaluators.All(failed.Contains))
            {
                return job;
            }
        }

        return null;
    }

    /// <summary>Why a job's outputs cannot be right, null when they can.</summary>
    public string? Fault(int job, float[] outputs)
    {
        var rows = Jobs[job].Rows;
        var width = Outputs.IsEmpty ? Math.Max(1, outputs.Length / rows) : Outputs.Select(o => o.Value.Length / Jobs[o.Key].Rows).First();
        return outputs.Length == rows * width ? null : $"it gave {outputs.Length} outputs where {rows} rows of {width} were expected";
    }

    /// <summary>With a job's outputs.</summary>
    public EvaluationProgress Done(int job, float[] outputs) => this with { Waiting = Waiting.Remove(job), Outputs = Outputs.SetItem(job, outputs) };

    /// <summary>With one more failure of a job, which waits again.</summary>
    public EvaluationProgress Failed(int job, int evaluator) =>
        this with { Waiting = Waiting.Add(job), FailedOn = FailedOn.SetItem(job, FailedOn.GetValueOrDefault(job, []).Add(evaluator)) };

    /// <summary>Outputs of every split in the order of its rows.</summary>
    public EvaluationProtocol.Evaluated Answer() => new(
        Request.Request,
        Request.Step,
        Request.Splits.Distinct().ToDictionary(
            split => split,
            split => Enumerable.Range(0, Jobs.Count).Where(i => Jobs[i].Split == split).SelectMany(i => Outputs[i]).ToArray()));
}

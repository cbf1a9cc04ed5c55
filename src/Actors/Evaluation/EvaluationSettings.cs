namespace ActorTrainer.Actors.Evaluation;

/// <summary>Settings of a director and its evaluators.</summary>
public sealed record EvaluationSettings
{
    /// <summary>Rows of every split, by the names that requests use.</summary>
    public required IReadOnlyDictionary<string, int> Rows { get; init; }

    /// <summary>Makes what an evaluator computes with; called on the evaluator's thread, again after a failure.</summary>
    public required Func<IEvaluationComputation> Computation { get; init; }

    /// <summary>Evaluators that the director starts itself; others may come and ask for jobs.</summary>
    public int Evaluators { get; init; } = 1;

    /// <summary>Rows of a job.</summary>
    public int JobRows { get; init; } = 128;

    /// <summary>Rows computed at a time.</summary>
    public int Batch { get; init; } = 64;

    /// <summary>An assignment that has no answer after this time is dealt again, and its evaluator replaced. Loading the model is part of it.</summary>
    public TimeSpan JobTimeout { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>An evaluator that has nothing to do says so this often.</summary>
    public TimeSpan AskEvery { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>From an evaluator's end to the start of the one in its place.</summary>
    public TimeSpan RestartDelay { get; init; } = TimeSpan.FromMilliseconds(100);
}

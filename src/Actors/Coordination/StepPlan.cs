using ActorTrainer.Model.Optimisation;

namespace ActorTrainer.Actors.Coordination;

/// <summary>What the coordinator decides before a step, as a pure function of the position.</summary>
/// <param name="LearningRate">Learning rate of the step.</param>
/// <param name="Rows">Sequences of each micro-batch.</param>
public sealed record StepPlan(double LearningRate, IReadOnlyList<int> Rows)
{
    /// <summary>Sequences of the step.</summary>
    public int Sequences => Rows.Sum();

    /// <summary>The next step, or null when the budget is spent.</summary>
    public static StepPlan? Next(TrainOptions train, int microBatch, int tokensPerSequence, RunPosition at)
    {
        var tokens = at.Sequences * tokensPerSequence;
        if (Budget.IsSpent(train, at.Step, tokens, at.Seconds))
        {
            return null;
        }

        var fraction = Budget.Fraction(train, at.Step, tokens, at.Seconds);
        var sequences = BatchRamp.SequencesAt(train, microBatch, fraction);
        return new StepPlan(Model.Optimisation.LearningRate.At(train, fraction), MicroBatches.Split(sequences, microBatch));
    }
}

/// <summary>What is to be done between two steps.</summary>
public enum Duty
{
    Evaluate,
    Commit,
    Export,
}

/// <summary>Decides what is to be done after a step.</summary>
public static class Duties
{
    /// <summary>Duties after step <paramref name="step"/>, in order.</summary>
    /// <param name="train">Intervals.</param>
    /// <param name="step">Steps done.</param>
    /// <param name="last">The budget is spent.</param>
    /// <param name="stopping">Someone asked the run to stop.</param>
    public static IReadOnlyList<Duty> After(TrainOptions train, long step, bool last, bool stopping)
    {
        var export = last || Due(train.ExportEvery, step);
        var duties = new List<Duty>(3);
        if (last || Due(train.EvaluateEvery, step))
        {
            duties.Add(Duty.Evaluate);
        }

        if (export || stopping || Due(train.CheckpointEvery, step))
        {
            duties.Add(Duty.Commit);
        }

        if (export)
        {
            duties.Add(Duty.Export);
        }

        return duties;
    }

    private static bool Due(int every, long step) => every > 0 && step % every == 0;
}

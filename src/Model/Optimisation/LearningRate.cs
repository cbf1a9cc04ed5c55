namespace ActorTrainer.Model.Optimisation;

/// <summary>The learning rate as a function of how much of the budget is used, so that it is the same for budgets in steps, tokens or hours.</summary>
public static class LearningRate
{
    /// <summary>Learning rate of the step that begins with <paramref name="fraction"/> of the budget used.</summary>
    /// <param name="options">Peak (<see cref="AdamWOptions.LearningRate"/>), schedule and warm-up.</param>
    /// <param name="fraction">Used part of the budget before the step, in [0, 1].</param>
    /// <exception cref="ArgumentOutOfRangeException">The fraction is not in [0, 1].</exception>
    public static double At(TrainOptions options, double fraction)
    {
        if (!(fraction >= 0 && fraction <= 1))
        {
            throw new ArgumentOutOfRangeException(nameof(fraction), fraction, "The used part of the budget lies in [0, 1].");
        }

        return options.Optim.LearningRate * Factor(options.Schedule, options.WarmUp, fraction);
    }

    private static double Factor(LearningRateSchedule schedule, double warmUp, double fraction) => schedule switch
    {
        // From 0.25 to 1 over three quarters is a slope of exactly one.
        LearningRateSchedule.BudgetTriangle2 => fraction < 0.75 ? 0.25 + fraction : 4 * (1 - fraction),
        _ when fraction < warmUp => fraction / warmUp,
        LearningRateSchedule.Constant => 1,
        LearningRateSchedule.Triangular => 1 - Since(warmUp, fraction),
        LearningRateSchedule.Cosine => 0.5 * (1 + Math.Cos(Math.PI * Since(warmUp, fraction))),
        _ => throw new ArgumentOutOfRangeException(nameof(schedule), schedule, "Unknown learning-rate schedule."),
    };

    /// <summary>Part of the time after the warm-up that is over; 0 when the warm-up takes the whole budget.</summary>
    private static double Since(double warmUp, double fraction) => warmUp < 1 ? (fraction - warmUp) / (1 - warmUp) : 0;
}

namespace ActorTrainer.Model.Optimisation;

/// <summary>How much of a training budget is used.</summary>
public static class Budget
{
    /// <summary>Used part of the budget, in [0, 1]; 1 for an empty budget.</summary>
    /// <param name="options">Unit and size of the budget.</param>
    /// <param name="steps">Optimiser steps done.</param>
    /// <param name="tokens">Tokens trained on.</param>
    /// <param name="seconds">Wall-clock seconds of training.</param>
    public static double Fraction(TrainOptions options, long steps, long tokens, double seconds) =>
        IsSpent(options, steps, tokens, seconds) ? 1 : Math.Max(0, Used(options, steps, tokens, seconds) / options.Budget);

    /// <summary>Whether no further step may begin.</summary>
    public static bool IsSpent(TrainOptions options, long steps, long tokens, double seconds) =>
        Used(options, steps, tokens, seconds) >= options.Budget;

    private static double Used(TrainOptions options, long steps, long tokens, double seconds) => options.BudgetUnit switch
    {
        BudgetUnit.Steps => steps,
        BudgetUnit.Tokens => tokens,
        BudgetUnit.Hours => seconds / 3600,
        _ => throw new ArgumentOutOfRangeException(nameof(options), options.BudgetUnit, "Unknown budget unit."),
    };
}

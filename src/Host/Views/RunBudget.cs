using ActorTrainer.Actors.Telemetry;
using ActorTrainer.Model.Optimisation;

namespace ActorTrainer.Host.Views;

/// <summary>How long a run is meant to be, for the words of a view.</summary>
/// <param name="Amount">Steps, tokens or hours, by <paramref name="Unit"/>.</param>
public sealed record RunBudget(BudgetUnit Unit, double Amount)
{
    /// <summary>Where a run stands: <c>step 12/100</c>, or the step and the used part of the tokens or hours.</summary>
    public string Position(StepMetrics step) => Unit switch
    {
        BudgetUnit.Steps => $"step {step.Step:N0}/{Amount:N0}",
        BudgetUnit.Tokens => $"step {step.Step:N0}, {Format.Count(step.TotalTokens)}/{Format.Count(Amount)} tokens",
        _ => $"step {step.Step:N0} of {Format.Duration(TimeSpan.FromHours(Amount))}",
    };
}

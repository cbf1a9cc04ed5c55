using ActorTrainer.Model.Bert;
using static TorchSharp.torch;

namespace ActorTrainer.Model.Ranges;

/// <summary>
/// The penalty of range training for one forward of one part: weight · Σ over inputs of their distance from their target range, in widths of the range. The
/// published penalty is λ times the number of inputs outside (Rho et al., arXiv 2410.02486, section 3.3); a number has no gradient, so this is its
/// differentiable stand-in: it too is zero just when all inputs are inside, and it pulls each one outside back in.
/// </summary>
/// <param name="targets">The ranges.</param>
/// <param name="weight">λ times the factor of the step's losses, so that the sum over a step does not depend on its micro-batches.</param>
/// <param name="also">Shown the inputs too, null: nobody.</param>
public sealed class RangePenalty(RangeTargets targets, double weight, IInputProbe? also = null) : IPenaltyProbe
{
    private Tensor? _sum;

    /// <inheritdoc/>
    public void Observe(FunctionSite site, Tensor input)
    {
        also?.Observe(site, input);
        if (targets.Of(site.Function) is not { } range || input.numel() == 0)
        {
            return;
        }

        using var scope = NewDisposeScope();
        var distance = (input - range.High).relu() + (range.Low - input).relu();
        var term = distance.sum() * (weight / (range.High - range.Low));
        var before = _sum;
        _sum = (before is null ? term : before + term).DetachFromDisposeScope();
        before?.Dispose();
    }

    /// <inheritdoc/>
    public Tensor? Take()
    {
        var sum = _sum;
        _sum = null;
        return sum;
    }
}

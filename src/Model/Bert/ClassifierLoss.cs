using static TorchSharp.torch;

namespace ActorTrainer.Model.Bert;

/// <summary>Cross-entropy of few classes, with the softmax's exponential and reciprocal open to probes and stand-ins.</summary>
internal static class ClassifierLoss
{
    /// <summary>Sum of −ln p of the labels. With stand-ins the value is the exact one and the gradient softmax − onehot of theirs.</summary>
    /// <param name="logits">[B, classes].</param>
    /// <param name="labels">[B], int64.</param>
    public static Tensor CrossEntropy(Tensor logits, Tensor labels, string unit, in ForwardContext context)
    {
        var exact = nn.functional.cross_entropy(logits, labels, reduction: nn.Reduction.Sum);
        if (context.Probe is null && context.Functions is null)
        {
            return exact;
        }

        var (expSite, sumSite) = (new FunctionSite(unit, "loss.exp", PointFunction.LossExp), new FunctionSite(unit, "loss.sum", PointFunction.LossReciprocal));
        context.Probe?.Observe(expSite, logits);
        using var noGrad = no_grad();
        var detached = logits.detach();
        var exponentials = context.Functions?.Apply(expSite, detached) ?? detached.exp();
        var sum = exponentials.sum(-1, keepdim: true);
        context.Probe?.Observe(sumSite, sum);
        if (context.Functions is not { } functions)
        {
            return exact;
        }

        var gradient = exponentials * functions.Apply(sumSite, sum) - nn.functional.one_hot(labels, logits.shape[1]).to(logits.dtype);
        using var grad = enable_grad();
        var linear = (logits * gradient).sum();
        return exact.detach() + linear - linear.detach();
    }
}

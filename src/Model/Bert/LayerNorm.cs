using static TorchSharp.torch;

namespace ActorTrainer.Model.Bert;

/// <summary>LayerNorm over the last dimension, with its inverse root open to probes and stand-ins.</summary>
internal static class LayerNorm
{
    /// <summary>Normalises the last dimension of <paramref name="x"/>.</summary>
    public static Tensor Apply(Tensor x, Tensor weight, Tensor bias, double eps, string unit, string place, in ForwardContext context)
    {
        var site = new FunctionSite(unit, place, PointFunction.NormInverseRoot);
        if (context.Functions is { } functions)
        {
            var centred = x - x.mean([-1], keepdim: true);
            var variance = centred.square().mean([-1], keepdim: true) + eps;
            context.Probe?.Observe(site, variance);
            return centred * functions.Apply(site, variance) * weight + bias;
        }

        if (context.Probe is { } probe)
        {
            probe.Observe(site, x.var([-1], unbiased: false, keepdim: true) + eps);
        }

        return nn.functional.layer_norm(x, [x.shape[^1]], weight, bias, eps);
    }
}

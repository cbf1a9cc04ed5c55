namespace ActorTrainer.Model.Optimisation;

/// <summary>The numbers of one AdamW step that all parameters share, in double precision as PyTorch computes them.</summary>
internal readonly struct AdamWScalars
{
    public AdamWScalars(AdamWOptions options, double learningRate, double clipFactor, long step)
    {
        Options = options;
        Clip = clipFactor;
        Decay = 1 - learningRate * options.WeightDecay;
        BiasCorrection2 = 1 - Math.Pow(options.Beta2, step);
        RootOfBiasCorrection2 = Math.Sqrt(BiasCorrection2);
        Slope = -(learningRate / (1 - Math.Pow(options.Beta1, step)));
    }

    public AdamWOptions Options { get; }

    /// <summary>Factor for the gradient; at least 1 = leave it alone.</summary>
    public double Clip { get; }

    /// <summary>Factor for the parameter, 1 − lr·wd.</summary>
    public double Decay { get; }

    /// <summary>1 − β₂ᵗ.</summary>
    public double BiasCorrection2 { get; }

    public double RootOfBiasCorrection2 { get; }

    /// <summary>−lr/(1 − β₁ᵗ).</summary>
    public double Slope { get; }
}

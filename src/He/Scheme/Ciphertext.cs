using System.Globalization;
using ActorTrainer.He.Backends;
using ActorTrainer.He.Parameters;

namespace ActorTrainer.He.Scheme;

/// <summary>
/// An encrypted vector of N/2 complex slots, or what stands for one on another backend: the payload, its level, its exact scale, and what the
/// noise model estimates. It may hold native memory until disposed.
/// </summary>
public sealed class Ciphertext : IDisposable
{
    internal Ciphertext(IPayload payload, CkksParameters parameters, int level, Scale scale, double noiseVariance, double magnitude) =>
        (Payload, Parameters, Level, Scale, NoiseVariance, Magnitude) = (payload, parameters, level, scale, noiseVariance, magnitude);

    public CkksParameters Parameters { get; }

    /// <summary>Rescales left; level + 1 limbs.</summary>
    public int Level { get; }

    public Scale Scale { get; }

    /// <summary>Estimated variance of the error of one coefficient, in units of the scaled message.</summary>
    public double NoiseVariance { get; }

    /// <summary>A bound on the size of slots that the program declared, not one that was measured.</summary>
    public double Magnitude { get; }

    /// <summary>2, or 3 for a product that was not relinearised.</summary>
    public int Size => Payload.Size;

    /// <summary>Estimated root mean square of the size of a slot's error.</summary>
    public double EstimatedError => Math.Sqrt(NoiseVariance * Parameters.Degree) / Scale.High;

    internal IPayload Payload { get; }

    /// <summary>The same with another bound on its slots: for programs that know better than products of bounds. Shares the payload.</summary>
    public Ciphertext WithMagnitude(double magnitude) => new(Payload, Parameters, Level, Scale, NoiseVariance, magnitude);

    /// <summary>The same with another estimate of its noise. Shares the payload.</summary>
    internal Ciphertext WithNoise(double variance) => new(Payload, Parameters, Level, Scale, variance, Magnitude);

    public void Dispose() => Payload.Dispose();

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"ciphertext of {Size} parts at level {Level}, scale {Scale}");
}

using ActorTrainer.He.Parameters;
using ActorTrainer.He.Scheme;

namespace ActorTrainer.He.Backends;

/// <summary>Computes nothing: a program run on it leaves its ledger, levels and noise estimates, in no time and no memory.</summary>
public sealed class PlanBackend(CkksParameters parameters) : IBackend
{
    private static readonly Nothing Two = new(2);
    private static readonly Nothing Three = new(3);

    public CkksParameters Parameters { get; } = parameters;

    /// <summary>A simulated fresh ciphertext at its level's canonical scale.</summary>
    public Ciphertext Encrypt(int level, double magnitude = 1) =>
        new(Two, Parameters, level, Parameters.ScaleAt(level), NoiseModel.Public(Parameters), magnitude);

    public IPayload Add(IPayload a, IPayload b, int level) => Math.Max(a.Size, b.Size) == 3 ? Three : Two;

    public IPayload Subtract(IPayload a, IPayload b, int level) => Add(a, b, level);

    public IPayload Negate(IPayload a, int level) => a;

    public IPayload Add(IPayload a, PlainVector m, int level, Scale scale) => a;

    public IPayload Add(IPayload a, ScaledConstant constant, int level) => a;

    public IPayload Multiply(IPayload a, PlainVector m, int level, Scale scale) => a;

    public IPayload Multiply(IPayload a, ScaledConstant constant, int level) => a;

    public IPayload Multiply(IPayload a, IPayload b, int level) => Three;

    public IPayload Relinearise(IPayload a, int level) => Two;

    public IPayload Rescale(IPayload a, int level) => a;

    public IPayload Drop(IPayload a, int level) => a;

    public IPayload[] Automorphisms(IPayload a, IReadOnlyList<int> elements, int level) => [.. elements.Select(_ => Two)];

    public IPayload Transform(IPayload a, DiagonalMatrix m, int level, Scale scale) => Two;

    public IPayload SumAutomorphisms(IPayload a, IReadOnlyList<int> elements, int level) => Two;

    private sealed record Nothing(int Size) : IPayload
    {
        public void Dispose()
        {
        }
    }
}

using ActorTrainer.He.Backends;
using ActorTrainer.He.Parameters;
using ActorTrainer.He.Scheme;

namespace ActorTrainer.He.Refresh;

/// <summary>Refreshes on the twin and on paper, with the noise that the owner's refresh has.</summary>
/// <param name="backend">Of the program: <see cref="TwinBackend"/> or <see cref="PlanBackend"/>.</param>
public sealed class ClearRefresher(IBackend backend) : IRefresher
{
    private readonly CkksParameters _parameters = backend is TwinBackend or PlanBackend
        ? backend.Parameters
        : throw new ArgumentException("Ciphertexts are refreshed by their owner or by bootstrapping, not in the clear.", nameof(backend));

    public int MaxLevel => _parameters.MaxLevel;

    public RefreshLedger Ledger { get; } = new();

    /// <inheritdoc/>
    public IReadOnlyList<Ciphertext> Refresh(IReadOnlyList<Ciphertext> ciphertexts, int level, string site)
    {
        Ledger.Note(site, level, ciphertexts.Count);
        return [.. ciphertexts.Select(c => Lift(c, level))];
    }

    private Ciphertext Lift(Ciphertext a, int level)
    {
        if (a.Size != 2 || level > MaxLevel)
        {
            throw new MisuseException($"Cannot refresh {a} to level {level}: expected two parts and a level of at most {MaxLevel}.");
        }

        // The twin's numbers do not depend on levels; a plan's payload has to be of the new size.
        var payload = backend is PlanBackend plan ? plan.Place(level) : backend.Drop(a.Payload, a.Level);
        var scale = _parameters.ScaleAt(level);
        backend.Disturb(payload, Math.Sqrt(NoiseModel.Symmetric * _parameters.Degree) / scale.High);
        return new Ciphertext(payload, _parameters, level, scale, NoiseModel.Symmetric + (a.NoiseVariance * Math.Pow((scale / a.Scale).High, 2)), a.Magnitude);
    }
}

using ActorTrainer.He.Backends;
using ActorTrainer.He.Parameters;
using ActorTrainer.He.Ring;
using ActorTrainer.He.Scheme;

namespace ActorTrainer.He.Planning;

/// <summary>Runs programs on ciphertexts that are not there, and tells what they will take; misuse is refused as the engine would refuse it.</summary>
/// <param name="costs">Measured costs of operations, for the prediction of time.</param>
public sealed class Planner(CkksParameters parameters, OperationCosts? costs = null)
{
    /// <param name="program">
    /// The same program that will run on the engine. It makes its inputs by the backend, frees what it no longer needs, and returns its results.
    /// </param>
    public Plan Run(Func<Evaluator, PlanBackend, IEnumerable<Ciphertext>> program)
    {
        var backend = new PlanBackend(parameters);
        var evaluator = new Evaluator(backend);
        var results = program(evaluator, backend).ToArray();
        var (counts, keys) = (evaluator.Ledger.Counts, evaluator.Ledger.Keys.ToArray());
        var levels = counts.Keys.Select(key => key.Level).Concat(results.Select(r => r.Level)).DefaultIfEmpty(0).ToArray();
        return new Plan
        {
            Parameters = parameters,
            Depth = parameters.Depth(levels.Max()) - parameters.Depth(levels.Min()),
            Counts = counts,
            Keys = keys,
            KeyBytes = keys.Sum(key => KeyBytes(parameters, key)),
            CiphertextBytes = (backend.PeakLimbs * LimbBytes(parameters)) + Workspace(parameters, keys),
            Seconds = costs is null ? null : counts.Sum(entry => entry.Value * costs.Seconds(entry.Key.Operation, entry.Key.Level)),
            Errors = [.. results.Select(r => r.EstimatedError)],
        };
    }

    /// <summary>Memory of a key, in bytes: two polynomials over the level's primes and the special ones for each digit.</summary>
    public static long KeyBytes(CkksParameters parameters, KeyRequest request) => 2L * parameters.DigitCount(request.Level) * LimbsWithSpecial(parameters, request.Level) * LimbBytes(parameters);

    /// <summary>Memory of one limb, in bytes.</summary>
    public static long LimbBytes(CkksParameters parameters) => LimbPool.StrideOf(parameters.Degree);

    /// <summary>Bytes of one key switch at the highest level of <paramref name="keys"/>: the digits, and two sums over all primes.</summary>
    public static long Workspace(CkksParameters parameters, IReadOnlyCollection<KeyRequest> keys) => keys.Count == 0
        ? 0
        : LimbBytes(parameters) * keys.Max(key => key.Level + 1 + parameters.DigitCount(key.Level) + (2L * LimbsWithSpecial(parameters, key.Level)));

    private static int LimbsWithSpecial(CkksParameters parameters, int level) => level + 1 + parameters.Special.Count;
}

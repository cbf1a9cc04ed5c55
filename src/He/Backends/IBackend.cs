using ActorTrainer.He.Parameters;

namespace ActorTrainer.He.Backends;

/// <summary>What a backend computes on: limbs, plain numbers, or nothing.</summary>
public interface IPayload : IDisposable
{
    /// <summary>2, or 3 before relinearisation.</summary>
    int Size { get; }
}

/// <summary>A constant as it is multiplied or added: rounded at a scale.</summary>
/// <param name="Value">What it stands for.</param>
/// <param name="Scaled">The rounded whole number.</param>
/// <param name="Scale">What the value was multiplied by.</param>
public readonly record struct ScaledConstant(double Value, Int128 Scaled, Scale Scale);

/// <summary>
/// All that differs between computing on ciphertexts, on plain numbers and on nothing. Programs call <see cref="Scheme.Evaluator"/>, which checks
/// operands and keeps levels, scales, noise and the ledger the same for every backend; operands arrive here at one level and fitting scales.
/// Results are new; operands are kept.
/// </summary>
public interface IBackend
{
    CkksParameters Parameters { get; }

    IPayload Add(IPayload a, IPayload b, int level);

    IPayload Subtract(IPayload a, IPayload b, int level);

    IPayload Negate(IPayload a, int level);

    IPayload Add(IPayload a, PlainVector m, int level, Scale scale);

    IPayload Add(IPayload a, ScaledConstant constant, int level);

    IPayload Multiply(IPayload a, PlainVector m, int level, Scale scale);

    IPayload Multiply(IPayload a, ScaledConstant constant, int level);

    /// <summary>Of two parts each; the result has three.</summary>
    IPayload Multiply(IPayload a, IPayload b, int level);

    /// <exception cref="Scheme.MissingKeyException">No relinearisation key up to this level.</exception>
    IPayload Relinearise(IPayload a, int level);

    /// <summary>From <paramref name="level"/> to the one below.</summary>
    IPayload Rescale(IPayload a, int level);

    /// <summary>To <paramref name="level"/>, which may be where it is.</summary>
    IPayload Drop(IPayload a, int level);

    /// <summary>One result for each Galois element, none of which is 1.</summary>
    /// <exception cref="Scheme.MissingKeyException">No key for one of them up to this level.</exception>
    IPayload[] Automorphisms(IPayload a, IReadOnlyList<int> elements, int level);

    /// <summary>From level 0 to the top, in units of q₀, with a whole number added to each coefficient: <see cref="Scheme.Evaluator.RaiseModulus"/>.</summary>
    /// <param name="scale">Of <paramref name="a"/>.</param>
    /// <exception cref="Scheme.MisuseException">The backend does not bootstrap.</exception>
    IPayload RaiseModulus(IPayload a, Scale scale) => throw new Scheme.MisuseException("This backend cannot raise a modulus: bootstrapping runs on the engine, on its twin and on paper.");

    /// <summary>Calls <paramref name="work"/> with 0 … count − 1, on as many threads as the backend has.</summary>
    void Spread(int count, Action<int> work)
    {
        for (var i = 0; i < count; i++)
        {
            work(i);
        }
    }

    /// <summary>Told of the noise that an operation added, as standard deviation of a slot's size: a backend of plain numbers may add it.</summary>
    void Disturb(IPayload result, double slotDeviation)
    {
    }

    /// <summary>For each row of <paramref name="m"/>, the sum over inputs of Σ_d m_d ⊙ rot(a, d); diagonals encoded at <paramref name="scale"/>, by which the results' scale is multiplied.</summary>
    /// <exception cref="Scheme.MissingKeyException">A key of <see cref="DiagonalMatrix.Requests"/> is missing.</exception>
    IPayload[] Transform(IReadOnlyList<IPayload> inputs, DiagonalMatrix m, int level, Scale scale);

    /// <summary>a and its automorphisms by each Galois element, none of which is 1, in one sum.</summary>
    /// <exception cref="Scheme.MissingKeyException">No key for one of them up to this level.</exception>
    IPayload SumAutomorphisms(IPayload a, IReadOnlyList<int> elements, int level);
}

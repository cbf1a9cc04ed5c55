using ActorTrainer.He.Parameters;
using ActorTrainer.He.Ring;

namespace ActorTrainer.He.Seal;

/// <summary>What SEAL parameters fix, made once: the ring on integer kernels, whose words are residues in SEAL's order.</summary>
public sealed class SealContext : IDisposable
{
    private readonly WorkTeam _team;

    /// <param name="allowInsecure">Without it, parameters above the security table are refused.</param>
    /// <param name="parallelism">Threads that one operation may use, the calling one included.</param>
    /// <exception cref="ParametersRefusedException">The parameters are insecure and were not allowed.</exception>
    public SealContext(SealParameters parameters, bool allowInsecure = false, int parallelism = 1)
    {
        if (!parameters.IsSecure && !allowInsecure)
        {
            throw new ParametersRefusedException(FormattableString.Invariant(
                $"{parameters} are above the {SecurityTable.MaxLogQP(parameters.LogDegree)} bits of the security table. Use fewer or smaller primes, or allow insecure ones if you know why."));
        }

        Parameters = parameters;
        _team = new WorkTeam(parallelism);
        var data = parameters.MaxLevel + 1;
        Ring = new RingContext(parameters.Primes.Take(data), parameters.Primes.Skip(data), parameters.LogDegree, _team, KernelChoice.Integer);
    }

    public SealParameters Parameters { get; }

    internal RingContext Ring { get; }

    public void Dispose()
    {
        Ring.Dispose();
        _team.Dispose();
    }

    /// <summary>A polynomial over all primes.</summary>
    internal Polynomial NewKeyPolynomial(bool secret = false) => Ring.NewPolynomial(Ring.ChainLength, special: true, secret);

    internal Polynomial Copy(Polynomial source, int limbs)
    {
        var copy = Ring.NewPolynomial(limbs);
        CopyInto(copy, source);
        return copy;
    }

    /// <summary>As many limbs as the target has.</summary>
    internal unsafe void CopyInto(Polynomial target, Polynomial source)
    {
        Ring.Team.For(target.Limbs, i => Ring.Of(target, i).Copy(target[i], source[i]));
        GC.KeepAlive(source);
    }
}

using ActorTrainer.He.Parameters;
using Microsoft.Research.SEAL;

namespace ActorTrainer.He.SealNet;

/// <summary>
/// SEAL's parameters for one of our sets: the same N and chain, and the largest of our special primes, since SEAL uses one. Its digits of key
/// switching are therefore single primes, and log₂(QP) is smaller than ours.
/// </summary>
public sealed class SealNetContext : IDisposable
{
    private readonly ParmsId[] _levels;

    /// <exception cref="ParametersRefusedException">SEAL refuses the parameters.</exception>
    public SealNetContext(CkksParameters parameters)
    {
        Parameters = parameters;
        using var settings = new EncryptionParameters(SchemeType.CKKS)
        {
            PolyModulusDegree = (ulong)parameters.Degree,
            CoeffModulus = [.. parameters.Chain.Append(parameters.Special.MaxBy(p => p.Value)).Select(q => new Modulus(q.Value))],
        };
        Native = new SEALContext(settings, expandModChain: true, parameters.IsSecure ? SecLevelType.TC128 : SecLevelType.None);
        if (!Native.ParametersSet)
        {
            throw new ParametersRefusedException($"'{parameters.Name}': SEAL refuses the parameters: {Native.ParameterErrorMessage()}.");
        }

        _levels = new ParmsId[parameters.MaxLevel + 1];
        for (var data = Native.FirstContextData; data is not null; data = data.NextContextData)
        {
            _levels[data.ChainIndex] = data.ParmsId;
        }
    }

    public CkksParameters Parameters { get; }

    internal SEALContext Native { get; }

    public void Dispose() => Native.Dispose();

    internal ParmsId At(int level) => _levels[level];

    /// <summary>SEAL's element for one of ours: the same step in its order of slots, which is by powers of 3 where ours is by powers of 5.</summary>
    internal uint Element(int element)
    {
        var mask = (2 * Parameters.Degree) - 1;
        if (element == mask)
        {
            return (uint)mask;
        }

        var (ours, theirs) = (1, 1);
        while (ours != element)
        {
            (ours, theirs) = ((int)(5L * ours & mask), (int)(3L * theirs & mask));
        }

        return (uint)theirs;
    }
}

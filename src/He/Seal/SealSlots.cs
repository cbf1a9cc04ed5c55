using ActorTrainer.He.Scheme;

namespace ActorTrainer.He.Seal;

/// <summary>
/// SEAL's places of slots: slot j is the value at ζ^(3^j). The engine's Fourier transform has slot k at ζ^(5^k); as 3^j is 5^k or −5^k mod 2N,
/// SEAL's slots are a permutation of the engine's, of which those with a minus sign are conjugated.
/// </summary>
internal sealed class SealSlots
{
    private readonly SpecialFourier _fourier;
    private readonly int[] _places;
    private readonly bool[] _conjugated;

    public SealSlots(int logDegree)
    {
        var (slots, mask) = (1 << (logDegree - 1), (2 << logDegree) - 1);
        var logarithms = new int[mask + 1];
        for (int k = 0, power = 1; k < slots; k++, power = (power * 5) & mask)
        {
            logarithms[power] = k;
        }

        (_fourier, _places, _conjugated) = (new SpecialFourier(logDegree), new int[slots], new bool[slots]);
        for (int j = 0, power = 1; j < slots; j++, power = (power * 3) & mask)
        {
            // Powers of 5 are ≡ 1 mod 4.
            _conjugated[j] = (power & 3) != 1;
            _places[j] = logarithms[_conjugated[j] ? mask + 1 - power : power];
        }
    }

    /// <summary>Slots to coefficients; the arrays are not changed.</summary>
    public (double[] Re, double[] Im) ToCoefficients(ReadOnlySpan<double> re, ReadOnlySpan<double> im)
    {
        var (x, y) = (new double[_places.Length], new double[_places.Length]);
        for (var j = 0; j < _places.Length; j++)
        {
            (x[_places[j]], y[_places[j]]) = (re[j], _conjugated[j] ? -im[j] : im[j]);
        }

        _fourier.ToCoefficients(x, y);
        return (x, y);
    }

    /// <summary>Coefficients to slots; the arrays given are scratch afterwards.</summary>
    public (double[] Re, double[] Im) ToSlots(double[] re, double[] im)
    {
        _fourier.ToSlots(re, im);
        var (x, y) = (new double[_places.Length], new double[_places.Length]);
        for (var j = 0; j < _places.Length; j++)
        {
            (x[j], y[j]) = (re[_places[j]], _conjugated[j] ? -im[_places[j]] : im[_places[j]]);
        }

        return (x, y);
    }
}

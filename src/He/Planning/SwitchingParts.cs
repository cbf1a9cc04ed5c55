using ActorTrainer.He.Backends;
using ActorTrainer.He.Parameters;
using ActorTrainer.He.Ring;
using ActorTrainer.He.Scheme;

namespace ActorTrainer.He.Planning;

/// <summary>The pieces of key switching that hoisted rotations and linear transforms are counted by, one at a time, to be measured.</summary>
internal sealed unsafe class SwitchingParts : IDisposable
{
    private readonly RingContext _ring;
    private readonly KeySwitcher _switcher;
    private readonly Encoder _encoder;
    private readonly SwitchingKey _key;
    private readonly Polynomial _input;
    private readonly int _level;
    private readonly Scale _scale;
    private readonly Polynomial[] _digits;
    private readonly Polynomial _sum0;
    private readonly Polynomial _sum1;
    private readonly Polynomial _rotated0;
    private readonly Polynomial _rotated1;
    private readonly Polynomial _held;
    private readonly Polynomial _result;

    public SwitchingParts(CkksContext context, SwitchingKey key, Ciphertext x)
    {
        (_ring, _switcher, _encoder, _key, _level, _scale) = (context.Ring, new KeySwitcher(context), new Encoder(context), key, x.Level, x.Scale);
        _input = LimbPayload.Of(x.Payload)[1];
        _digits = _switcher.Raise(_input, _level);
        (_sum0, _sum1, _rotated0, _rotated1, _held) = (Undivided(), Undivided(), Undivided(), Undivided(), Undivided());
        _result = _ring.NewPolynomial(_level + 1);
        _switcher.Products(_digits, _level, _key, _sum0, _sum1);
    }

    public void Raise() => Array.ForEach(_switcher.Raise(_input, _level), digit => digit.Dispose());

    public void RotateUndivided()
    {
        _switcher.Products(_digits, _level, _key, _sum0, _sum1);
        var map = (nint)_ring.AutomorphismMap(5);
        _ring.Team.For(_sum0.Limbs, t =>
        {
            _ring.Of(_sum0, t).Permute(_rotated0[t], _sum0[t], (int*)map);
            _ring.Of(_sum1, t).Permute(_rotated1[t], _sum1[t], (int*)map);
        });
    }

    public void RotateRaised()
    {
        var map = (nint)_ring.AutomorphismMap(5);
        _switcher.Switch(_digits, _level, _key, (t, switched0, switched1) =>
        {
            _ring.Chain(t).Permute(_rotated0[t], (void*)switched0, (int*)map);
            _ring.Chain(t).Permute(_rotated1[t], (void*)switched1, (int*)map);
        });
    }

    /// <summary>A diagonal that is encoded for this product alone.</summary>
    /// <param name="special">Whether the rotation is not divided yet, and so has special limbs.</param>
    public void MultiplyPlain(PlainVector vector, bool special)
    {
        using var coefficients = _encoder.Unscaled(vector.Values, 0);
        _ring.Team.For(Limbs(special), t =>
        {
            using var limb = _ring.NewPolynomial(1);
            Encoder.Fill(_ring.Of(_sum0, t), limb[0], coefficients, _scale);
            _ring.Of(_sum0, t).MultiplyAddPair(_sum0[t], _sum1[t], limb[0], _rotated0[t], _rotated1[t], false);
        });
    }

    /// <summary>Encodes the diagonal of <see cref="MultiplyHeld"/>.</summary>
    public void Hold(PlainVector vector)
    {
        using var coefficients = _encoder.Unscaled(vector.Values, 0);
        _ring.Team.For(_held.Limbs, t => Encoder.Fill(_ring.Of(_held, t), _held[t], coefficients, _scale));
    }

    /// <summary>The same with a diagonal that is encoded already.</summary>
    public void MultiplyHeld(bool special) =>
        _ring.Team.For(Limbs(special), t => _ring.Of(_sum0, t).MultiplyAddPair(_sum0[t], _sum1[t], _held[t], _rotated0[t], _rotated1[t], false));

    /// <summary>Its special limbs are used up, and hold whatever the last division left: the time is the same.</summary>
    public void Divide() => _switcher.Divide(_sum0, _level, _result, add: false);

    public void Dispose()
    {
        foreach (var polynomial in _digits.Concat([_sum0, _sum1, _rotated0, _rotated1, _held, _result]))
        {
            polynomial.Dispose();
        }
    }

    /// <summary>Chain limbs come first.</summary>
    private int Limbs(bool special) => special ? _sum0.Limbs : _level + 1;

    private Polynomial Undivided() => _ring.NewPolynomial(_level + 1, special: true);
}

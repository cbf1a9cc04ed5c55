using ActorTrainer.He.Ring;

namespace ActorTrainer.He.Scheme;

/// <summary>
/// Hybrid key switching (Han, Ki 2020): digits of several primes are raised to all primes exactly, multiplied with the key, and the sum divided
/// by P. Work is per target limb, so that raising, transform and products of one limb stay in the cache.
/// </summary>
internal sealed unsafe class KeySwitcher(CkksContext context)
{
    private readonly RingContext _ring = context.Ring;

    /// <summary>Σⱼ digitⱼ(d)·keyⱼ/P: both parts of each limb are given to <paramref name="use"/> as soon as they are there, while they are in the cache.</summary>
    /// <param name="d">In transformed form, at <paramref name="level"/>; kept.</param>
    /// <param name="use">Told the limb's number and its words in both parts, which it may change.</param>
    public void Switch(Polynomial d, int level, SwitchingKey key, Action<int, nint, nint> use)
    {
        using var prepared = _ring.NewPolynomial(level + 1);
        using var multiples = _ring.NewPolynomial(context.Parameters.DigitCount(level));
        Prepare(d, level, prepared, multiples);
        Divided(level, (t, sum0, sum1) => Accumulate(t, d, level, prepared, multiples, key, (void*)sum0, (void*)sum1), use);
        GC.KeepAlive(d);
        GC.KeepAlive(key);
    }

    /// <summary>The same from digits that are raised already.</summary>
    public void Switch(Polynomial[] digits, int level, SwitchingKey key, Action<int, nint, nint> use)
    {
        Divided(level, (t, sum0, sum1) => Products(t, digits, level, key, (void*)sum0, (void*)sum1), use);
        GC.KeepAlive(key);
    }

    /// <summary>Σⱼ digitⱼ(d)·keyⱼ over all primes, undivided; the special ones are numbered after the others.</summary>
    /// <inheritdoc cref="Switch(Polynomial, int, SwitchingKey, Action{int, nint, nint})"/>
    public void Products(Polynomial d, int level, SwitchingKey key, Action<int, nint, nint> use)
    {
        using var prepared = _ring.NewPolynomial(level + 1);
        using var multiples = _ring.NewPolynomial(context.Parameters.DigitCount(level));
        Prepare(d, level, prepared, multiples);
        _ring.Team.For(level + 1 + _ring.SpecialLength, t =>
        {
            using var sums = _ring.NewPolynomial(2);
            Accumulate(t, d, level, prepared, multiples, key, sums[0], sums[1]);
            use(t, (nint)sums[0], (nint)sums[1]);
        });
        GC.KeepAlive(d);
        GC.KeepAlive(key);
    }

    /// <summary>Digits raised to all primes, once for many rotations.</summary>
    public Polynomial[] Raise(Polynomial d, int level)
    {
        using var prepared = _ring.NewPolynomial(level + 1);
        using var multiples = _ring.NewPolynomial(context.Parameters.DigitCount(level));
        Prepare(d, level, prepared, multiples);
        var digits = new Polynomial[multiples.Limbs];
        for (var j = 0; j < digits.Length; j++)
        {
            digits[j] = _ring.NewPolynomial(level + 1, special: true);
        }

        // Digit after digit: the few limbs of one stay in the cache.
        _ring.Team.For(digits.Length * digits[0].Limbs, i =>
        {
            var (j, t) = Math.DivRem(i, digits[0].Limbs);
            RaiseLimb(t, j, d, level, prepared, multiples, digits[j][t]);
        });
        return digits;
    }

    /// <summary>Σⱼ digitⱼ·keyⱼ over all primes: undivided, for sums of several rotations.</summary>
    public void Products(Polynomial[] digits, int level, SwitchingKey key, Polynomial sum0, Polynomial sum1)
    {
        _ring.Team.For(sum0.Limbs, t => Products(t, digits, level, key, sum0[t], sum1[t]));
        GC.KeepAlive(key);
    }

    /// <summary>The same for one limb.</summary>
    public void Products(int target, Polynomial[] digits, int level, SwitchingKey key, void* sum0, void* sum1)
    {
        var raised = stackalloc void*[digits.Length];
        for (var j = 0; j < digits.Length; j++)
        {
            raised[j] = digits[j][target];
        }

        Products(target, raised, digits.Length, level, key, sum0, sum1);
    }

    /// <summary>Division by P with rounding: result = sum/P, or result += sum/P. The sum's special limbs are used up.</summary>
    public void Divide(Polynomial sum, int level, Polynomial result, bool add)
    {
        var division = context.DivideBySpecial;
        var first = level + 1;
        _ring.Team.For(division.Sources, k => division.Prepare(k, sum[first + k]));
        using var multiples = _ring.NewPolynomial(1);
        division.Multiples(multiples[0], sum, first);
        _ring.Team.For(level + 1, t =>
        {
            using var converted = _ring.NewPolynomial(1);
            division.Convert(t, converted[0], sum, first, multiples[0]);
            if (add)
            {
                division.Divide(t, converted[0], sum[t], converted[0]);
                _ring.Chain(t).Add(result[t], result[t], converted[0]);
            }
            else
            {
                division.Divide(t, result[t], sum[t], converted[0]);
            }
        });
    }

    /// <summary>The special limbs come first: with them each other limb is summed and divided in one go.</summary>
    private void Divided(int level, Action<int, nint, nint> products, Action<int, nint, nint> use)
    {
        var division = context.DivideBySpecial;
        using var special0 = _ring.NewPolynomial(0, special: true);
        using var special1 = _ring.NewPolynomial(0, special: true);
        _ring.Team.For(division.Sources, k =>
        {
            products(level + 1 + k, (nint)special0[k], (nint)special1[k]);
            division.Prepare(k, special0[k]);
            division.Prepare(k, special1[k]);
        });
        using var multiples = _ring.NewPolynomial(2);
        division.Multiples(multiples[0], special0, 0);
        division.Multiples(multiples[1], special1, 0);
        _ring.Team.For(level + 1, t =>
        {
            using var work = _ring.NewPolynomial(3);
            products(t, (nint)work[0], (nint)work[1]);
            division.Convert(t, work[2], special0, 0, multiples[0]);
            division.Divide(t, work[0], work[0], work[2]);
            division.Convert(t, work[2], special1, 0, multiples[1]);
            division.Divide(t, work[1], work[1], work[2]);
            use(t, (nint)work[0], (nint)work[1]);
        });
    }

    private static int KeyLimb(int target, int level, SwitchingKey key) => target <= level ? target : target - level + key.Level;

    private void Prepare(Polynomial d, int level, Polynomial prepared, Polynomial multiples)
    {
        var parameters = context.Parameters;
        _ring.Team.For(level + 1, i =>
        {
            var j = 0;
            while (parameters.Digit(j, level).End <= i)
            {
                j++;
            }

            context.Raise(j, level).Prepare(i - parameters.Digit(j, level).Start, prepared[i], d[i]);
        });
        _ring.Team.For(multiples.Limbs, j => context.Raise(j, level).Multiples(multiples[j], prepared, parameters.Digit(j, level).Start));
    }

    private void Accumulate(int target, Polynomial d, int level, Polynomial prepared, Polynomial multiples, SwitchingKey key, void* sum0, void* sum1)
    {
        var (parameters, count) = (context.Parameters, multiples.Limbs);
        using var raised = _ring.NewPolynomial(count);
        var digits = stackalloc void*[count];
        for (var j = 0; j < count; j++)
        {
            var (start, end) = parameters.Digit(j, level);
            digits[j] = target >= start && target < end ? d[target] : raised[j];
            if (digits[j] == raised[j])
            {
                context.Raise(j, level).Convert(target, raised[j], prepared, start, multiples[j]);
            }
        }

        Products(target, digits, count, level, key, sum0, sum1);
    }

    private void Products(int target, void** digits, int count, int level, SwitchingKey key, void* sum0, void* sum1)
    {
        var k = KeyLimb(target, level, key);
        var kernels = target <= level ? _ring.Chain(target) : _ring.Special(target - level - 1);
        var held = key.A;
        using var expanded = held is null ? _ring.NewPolynomial(count) : null;
        var b = stackalloc void*[count];
        var a = stackalloc void*[count];
        for (var j = 0; j < count; j++)
        {
            b[j] = key.B[j][k];
            if (expanded is null)
            {
                a[j] = held![j][k];
                continue;
            }

            Randomness.UniformLimb(_ring, kernels, key.Seed, j, target <= level ? target : _ring.ChainLength + target - level - 1, expanded, j);
            a[j] = expanded[j];
        }

        kernels.SumProductsPair(sum0, sum1, digits, b, a, count);
    }

    private void RaiseLimb(int target, int digit, Polynomial d, int level, Polynomial prepared, Polynomial multiples, void* result)
    {
        var (start, end) = context.Parameters.Digit(digit, level);
        if (target >= start && target < end)
        {
            _ring.Chain(target).Copy(result, d[target]);
        }
        else
        {
            context.Raise(digit, level).Convert(target, result, prepared, start, multiples[digit]);
        }
    }
}

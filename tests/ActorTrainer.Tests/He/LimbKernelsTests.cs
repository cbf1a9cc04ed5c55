using ActorTrainer.He.Ring;
using Xunit;

namespace ActorTrainer.Tests.He;

public sealed unsafe class LimbKernelsTests
{
    private static readonly ulong[] Largest = [.. Primes.Below(49, 1 << 17).Take(2)];

    public static TheoryData<KernelChoice, ulong> Fields()
    {
        var data = new TheoryData<KernelChoice, ulong>();
        foreach (var prime in new[] { Largest[0], Primes.Below(40, 1 << 17).First(), Primes.Below(30, 1 << 12).First() })
        {
            data.Add(KernelChoice.Integer, prime);
            if (LimbKernels.DoubleSupported)
            {
                data.Add(KernelChoice.Double, prime);
            }
        }

        data.Add(KernelChoice.Integer, Primes.Below(60, 1 << 17).First());
        data.Add(KernelChoice.Integer, Primes.Below(61, 1 << 17).First());
        return data;
    }

    [Theory]
    [MemberData(nameof(Fields))]
    public void Every_word_operation_is_exact_on_random_and_extreme_residues(KernelChoice choice, ulong prime)
    {
        var kernels = Create(choice, prime, 10);
        var q = prime;
        var (a, b, c, d) = (Sample(q, 1), Sample(q, 2), Sample(q, 3), Sample(q, 4));
        var scalar = q - 2;
        using var x = new NativeLimb(kernels, a);
        using var y = new NativeLimb(kernels, b);
        using var z = new NativeLimb(kernels, c);
        using var w = new NativeLimb(kernels, d);
        using var r = new NativeLimb(kernels);
        using var r2 = new NativeLimb(kernels);

        kernels.Add(r.Words, x.Words, y.Words);
        Check(i => ((UInt128)a[i] + b[i]) % q, r);
        kernels.Subtract(r.Words, x.Words, y.Words);
        Check(i => ((UInt128)a[i] + q - b[i]) % q, r);
        kernels.Negate(r.Words, x.Words);
        Check(i => ((UInt128)q - a[i]) % q, r);
        kernels.Multiply(r.Words, x.Words, y.Words);
        Check(i => (UInt128)a[i] * b[i] % q, r);
        kernels.MultiplyAdd(r.Words, z.Words, w.Words);
        Check(i => (((UInt128)a[i] * b[i] % q) + ((UInt128)c[i] * d[i] % q)) % q, r);
        kernels.MultiplyCross(r.Words, x.Words, y.Words, z.Words, w.Words);
        Check(i => (((UInt128)a[i] * b[i] % q) + ((UInt128)c[i] * d[i] % q)) % q, r);
        kernels.MultiplyAddPair(r.Words, r2.Words, x.Words, y.Words, z.Words, true);
        kernels.MultiplyAddPair(r.Words, r2.Words, w.Words, y.Words, z.Words, false);
        Check(i => (((UInt128)a[i] * b[i] % q) + ((UInt128)d[i] * b[i] % q)) % q, r);
        Check(i => (((UInt128)a[i] * c[i] % q) + ((UInt128)d[i] * c[i] % q)) % q, r2);
        var left = stackalloc void*[] { x.Words, w.Words };
        var right0 = stackalloc void*[] { y.Words, y.Words };
        var right1 = stackalloc void*[] { z.Words, z.Words };
        kernels.SumProductsPair(r.Words, r2.Words, left, right0, right1, 2);
        Check(i => (((UInt128)a[i] * b[i] % q) + ((UInt128)d[i] * b[i] % q)) % q, r);
        Check(i => (((UInt128)a[i] * c[i] % q) + ((UInt128)d[i] * c[i] % q)) % q, r2);
        kernels.SumProductsPair(r.Words, r2.Words, left, right0, right1, 1);
        Check(i => (UInt128)a[i] * b[i] % q, r);
        Check(i => (UInt128)a[i] * c[i] % q, r2);
        kernels.MultiplyScalar(r.Words, x.Words, scalar);
        Check(i => (UInt128)a[i] * scalar % q, r);
        kernels.MultiplyScalarAdd(r.Words, y.Words, scalar);
        Check(i => (((UInt128)a[i] * scalar % q) + ((UInt128)b[i] * scalar % q)) % q, r);
        kernels.AddScalar(r.Words, x.Words, scalar);
        Check(i => ((UInt128)a[i] + scalar) % q, r);
        kernels.SubtractMultiply(r.Words, x.Words, y.Words, scalar);
        Check(i => ((UInt128)a[i] + q - b[i]) % q * scalar % q, r);
    }

    [Theory]
    [MemberData(nameof(Fields))]
    public void The_transform_evaluates_at_the_odd_powers_of_the_root_and_comes_back(KernelChoice choice, ulong prime)
    {
        const int log = 6;
        var kernels = Create(choice, prime, log);
        var modulus = new Modulus(prime);
        var root = Primes.SmallestRoot(modulus, 2 << log);
        var coefficients = Sample(prime, 5, 1 << log);
        using var x = new NativeLimb(kernels, coefficients);

        kernels.Forward(x.Words);

        var values = x.Residues;
        for (var i = 0; i < 1 << log; i++)
        {
            var point = modulus.Power(root, (2 * (ulong)NttRoots.Reverse(i, log)) + 1);
            var expected = coefficients.Reverse().Aggregate(0UL, (sum, next) => modulus.Add(modulus.Multiply(sum, point), next));
            Assert.Equal(expected, values[kernels.PlaceOf(i)]);
        }

        kernels.Inverse(x.Words, 7);
        Assert.Equal(coefficients.Select(v => modulus.Multiply(v, 7)), x.Residues);
    }

    [Theory]
    [InlineData(10)]
    [InlineData(11)]
    [InlineData(12)]
    [InlineData(13)]
    [InlineData(14)]
    [InlineData(15)]
    [InlineData(16)]
    public void Both_kernels_transform_to_the_same_residues_at_every_degree(int log)
    {
        if (!LimbKernels.DoubleSupported)
        {
            return;
        }

        foreach (var (prime, seed) in Largest.Select((p, i) => (p, i)))
        {
            var (fast, slow) = (Create(KernelChoice.Double, prime, log), Create(KernelChoice.Integer, prime, log));
            foreach (var input in new[] { Sample(prime, seed, 1 << log), Filled(prime >> 1, 1 << log), Filled((prime >> 1) + 1, 1 << log) })
            {
                using var x = new NativeLimb(fast, input);
                using var y = new NativeLimb(slow, input);

                fast.Forward(x.Words);
                slow.Forward(y.Words);

                var (values, expected) = (x.Residues, y.Residues);
                Assert.True(Enumerable.Range(0, 1 << log).All(i => expected[i] == values[fast.PlaceOf(i)]));
                using var other = new NativeLimb(fast);
                fast.Inverse(other.Words, x.Words, 1);
                Assert.Equal(input, other.Residues);
                fast.Inverse(x.Words);
                Assert.Equal(input, x.Residues);
                slow.Inverse(y.Words);
                Assert.Equal(input, y.Residues);
            }
        }
    }

    [Theory]
    [InlineData(KernelChoice.Integer, 1)]
    [InlineData(KernelChoice.Integer, 3)]
    [InlineData(KernelChoice.Double, 1)]
    [InlineData(KernelChoice.Double, 4)]
    [InlineData(KernelChoice.Double, 8)]
    [InlineData(KernelChoice.Double, 11)]
    public void Base_conversion_gives_the_residues_of_the_centred_number(KernelChoice choice, int count)
    {
        if (choice == KernelChoice.Double && !LimbKernels.DoubleSupported)
        {
            return;
        }

        const int log = 5;
        var primes = Primes.Below(49, 1 << 17).Take(count + 1).ToArray();
        var target = Create(choice, primes[count], log);
        var whole = primes.Take(count).Aggregate(System.Numerics.BigInteger.One, (product, q) => product * q);
        var random = new Random(11);
        var numbers = Enumerable.Range(0, 1 << log).Select(i => i switch
        {
            0 => 0,
            1 => 1,
            2 => -1,
            _ => (new System.Numerics.BigInteger(Bytes(random, 80), true) % whole) - (whole >> 1),
        }).ToArray();
        var limbs = primes.Take(count).Select(q => new NativeLimb(
            Create(choice, q, log),
            [.. numbers.Select(n => new Modulus(q).Multiply(Residue(n, q), new Modulus(q).Inverse(Residue(whole / q, q))))])).ToArray();
        using var result = new NativeLimb(target);
        using var multiples = new NativeLimb(target);
        var sources = stackalloc void*[count];
        var moduli = stackalloc ulong[count];
        var weights = stackalloc ulong[count];
        for (var i = 0; i < count; i++)
        {
            sources[i] = limbs[i].Words;
            moduli[i] = primes[i];
            weights[i] = Residue(whole / primes[i], primes[count]);
        }

        target.Multiples(multiples.Words, sources, moduli, count);
        target.Combine(result.Words, sources, moduli, weights, count, multiples.Words, Residue(-whole, primes[count]));

        Assert.Equal(numbers.Select(n => Residue(n, primes[count])), result.Residues);
        Array.ForEach(limbs, limb => limb.Dispose());
    }

    [Theory]
    [MemberData(nameof(Fields))]
    public void Numbers_far_beyond_the_prime_become_their_residues(KernelChoice choice, ulong prime)
    {
        var kernels = Create(choice, prime, 4);
        double[] numbers = [0, 1, -1, 3, Math.ScaleB(1, 52), -Math.ScaleB(1, 52), Math.ScaleB(1.2345678, 89), -Math.ScaleB(1.999, 89), prime, -(double)prime, Math.ScaleB(1, 80), 12345, 5, 6, 7, 8];
        using var limb = new NativeLimb(kernels);
        fixed (double* p = numbers)
        {
            kernels.FromNumbers(limb.Words, p);
        }

        Assert.Equal(numbers.Select(n => Residue(new System.Numerics.BigInteger(n), prime)), limb.Residues);
    }

    [Fact]
    public void Double_kernels_refuse_a_prime_of_fifty_bits()
    {
        var prime = Primes.Below(50, 1 << 17).First();

        Assert.IsType<IntegerKernels>(LimbKernels.Create(new Modulus(prime), 10));
        Assert.ThrowsAny<Exception>(() => LimbKernels.Create(new Modulus(prime), 10, KernelChoice.Double));
    }

    [Fact]
    public void Kernels_allocate_nothing_on_the_managed_heap()
    {
        var kernels = LimbKernels.Create(new Modulus(Largest[0]), 12);
        using var x = new NativeLimb(kernels, Sample(Largest[0], 1, 1 << 12));
        using var y = new NativeLimb(kernels, Sample(Largest[0], 2, 1 << 12));
        Round();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 20; i++)
        {
            Round();
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());

        void Round()
        {
            kernels.Forward(x.Words);
            kernels.MultiplyAdd(x.Words, y.Words, y.Words);
            kernels.Inverse(x.Words);
            kernels.SubtractMultiply(x.Words, x.Words, y.Words, 3);
        }
    }

    private static LimbKernels Create(KernelChoice choice, ulong prime, int log) => LimbKernels.Create(new Modulus(prime), log, choice);

    private static byte[] Bytes(Random random, int count)
    {
        var bytes = new byte[count];
        random.NextBytes(bytes);
        return bytes;
    }

    private static ulong Residue(System.Numerics.BigInteger number, ulong q) => (ulong)(((number % q) + q) % q);

    private static ulong[] Filled(ulong value, int count) => [.. Enumerable.Repeat(value, count)];

    /// <summary>Random residues, with zero, one, the ends and the middle among the first.</summary>
    private static ulong[] Sample(ulong q, int seed, int count = 1024)
    {
        var random = new Random(seed);
        ulong[] extremes = [0, 1, q - 1, q >> 1, (q >> 1) + 1, q - 2];
        return [.. Enumerable.Range(0, count).Select(i => i < 36 ? extremes[seed % 2 == 0 ? i % 6 : i / 6] : (ulong)random.NextInt64((long)q))];
    }

    private static void Check(Func<int, UInt128> expected, NativeLimb found) =>
        Assert.Equal(Enumerable.Range(0, 1024).Select(i => (ulong)expected(i)), found.Residues);
}

using System.Numerics;
using ActorTrainer.He.Backends;
using ActorTrainer.He.Parameters;
using ActorTrainer.He.Ring;
using ActorTrainer.He.Scheme;
using Xunit;

namespace ActorTrainer.Tests.He;

public sealed class EvaluatorTests
{
    private static readonly int[] Rotations = [1, 3, -2];

    /// <summary>Root mean square errors are within two bits of the model, on secure sets and on a toy one.</summary>
    [Theory]
    [InlineData("InsecureTestL15")]
    [InlineData("L14")]
    [InlineData("L15")]
    public void Every_operation_errs_as_much_as_the_noise_model_says(string name)
    {
        using var he = new HeFixture(ParameterSets.All.Single(set => set.Name == name), Rotations, 2);
        var (x, y) = (he.Random(1), he.Random(2));
        using var a = he.Encrypt(x);
        using var b = he.Encrypt(y);
        var m = new PlainVector(y);
        var e = he.Evaluator;

        Check("encrypt", a, x);
        Check("add", e.Add(a, b), x.Zip(y, Complex.Add));
        Check("subtract", e.Subtract(a, b), x.Zip(y, Complex.Subtract));
        Check("negate", e.Negate(a), x.Select(Complex.Negate));
        Check("add plain", e.Add(a, m), x.Zip(y, Complex.Add));
        Check("add constant", e.Add(a, 0.375), x.Select(v => v + 0.375));
        Check("multiply plain", Rescaled(e.Multiply(a, m)), x.Zip(y, Complex.Multiply));
        Check("multiply constant", Rescaled(e.Multiply(a, -0.7, he.Parameters.ScaleAt(a.Level))), x.Select(v => v * -0.7));
        Check("multiply integer", e.Multiply(a, -3L), x.Select(v => v * -3));
        Check("multiply", Rescaled(e.Multiply(a, b)), x.Zip(y, Complex.Multiply));
        Check("square", Rescaled(e.Square(a)), x.Select(v => v * v));
        Check("add of another level", e.Add(e.DropTo(b, 2), a), x.Zip(y, Complex.Add));
        Check("multiply without relinearisation", e.MultiplyLazy(a, b), x.Zip(y, Complex.Multiply));
        Check("drop", e.DropTo(a, 1), x);
        Check("conjugate", e.Conjugate(a), x.Select(Complex.Conjugate));
        foreach (var steps in Rotations)
        {
            Check($"rotate {steps}", e.Rotate(a, steps), Rotated(x, steps));
        }

        foreach (var (rotated, steps) in e.RotateMany(a, Rotations).Zip(Rotations))
        {
            Check($"rotate {steps}, hoisted", rotated, Rotated(x, steps));
        }

        Ciphertext Rescaled(Ciphertext product)
        {
            using (product)
            {
                return e.Rescale(product);
            }
        }

        void Check(string operation, Ciphertext result, IEnumerable<Complex> expected)
        {
            var bits = Math.Log2(he.Error(result, expected) / result.EstimatedError);
            Assert.True(Math.Abs(bits) <= 2, $"{operation}: {bits:F2} bits from the model.");
        }
    }

    [Fact]
    public void Fifteen_products_in_a_row_end_with_twenty_correct_bits()
    {
        using var he = new HeFixture(ParameterSets.L15, [], 2);
        var x = he.Random(3).Select(v => new Complex(0.5 * v.Real, 0)).ToArray();
        var current = he.Encrypt(x);
        var expected = x;

        while (current.Level > 0)
        {
            // A product for every level: y ← y² + 0.24, which goes to 0.4 or, in size, nowhere else.
            using var square = he.Evaluator.Multiply(current, current);
            using var rescaled = he.Evaluator.Rescale(square);
            current.Dispose();
            current = he.Evaluator.Add(rescaled, 0.24);
            expected = [.. expected.Select(v => (v * v) + 0.24)];
        }

        var errors = he.Decrypt(current).Zip(expected, (found, value) => (found - value).Magnitude).ToArray();
        Assert.True(errors.Average(e => -Math.Log2(Math.Max(e, 1e-30))) >= 20, $"{errors.Average(e => -Math.Log2(Math.Max(e, 1e-30))):F2} bits on average");
        Assert.True(current.Scale.Matches(he.Parameters.ScaleAt(0)));
    }

    [Fact]
    public void Both_kernels_and_any_number_of_threads_give_the_same_residues()
    {
        var results = new List<ulong[]>();
        foreach (var (kernels, threads) in new[] { (KernelChoice.Integer, 1), (KernelChoice.Fastest, 1), (KernelChoice.Fastest, 3) })
        {
            using var he = new HeFixture(ParameterSets.ToyL15, Rotations, threads, kernels);
            using var a = he.Encrypt(he.Random(1));
            using var product = he.Evaluator.Multiply(a, a);
            using var rescaled = he.Evaluator.Rescale(product);
            using var rotated = he.Evaluator.Rotate(rescaled, 3);
            results.Add(Residues(he, rotated));
        }

        Assert.Equal(results[0], results[1]);
        Assert.Equal(results[0], results[2]);
    }

    [Fact]
    public void A_product_with_zero_is_a_normal_result()
    {
        using var he = new HeFixture(ParameterSets.ToyL15, []);
        using var a = he.Encrypt(he.Random(1));
        using var zero = he.Evaluator.Multiply(a, 0L);
        using var sum = he.Evaluator.Add(zero, a);

        Assert.All(he.Decrypt(zero), v => Assert.Equal(0, v.Magnitude));
        Assert.True(he.Error(sum, he.Random(1)) < 1e-6);
    }

    [Fact]
    public void Operands_that_do_not_go_together_are_refused_with_both_states_and_the_remedy()
    {
        using var he = new HeFixture(ParameterSets.ToyL15, [1]);
        using var a = he.Encrypt(he.Random(1));
        using var lower = he.Evaluator.DropTo(a, 3);
        using var doubled = he.Evaluator.Multiply(a, 1.0, Scale.FromPower(20));
        using var three = he.Evaluator.MultiplyLazy(a, a);

        var scales = Assert.Throws<MisuseException>(() => he.Evaluator.Add(a, doubled)).Message;
        Assert.Contains($"level 15, scale {a.Scale}", scales);
        Assert.Contains($"level 15, scale {doubled.Scale}", scales);
        Assert.Contains("Align", scales);
        Assert.Contains("takes one level", Assert.Throws<MisuseException>(() => he.Evaluator.AlignTo(lower, 3)).Message);
        Assert.Contains("scales differ", scales);
        Assert.Contains("Relinearise", Assert.Throws<MisuseException>(() => he.Evaluator.Rotate(three, 1)).Message);
        Assert.Contains("Refresh", Assert.Throws<MisuseException>(() => he.Evaluator.DropTo(lower, 4)).Message);
        Assert.Contains("was not made", Assert.Throws<MissingKeyException>(() => he.Evaluator.Rotate(a, 2)).Message);
    }

    [Fact]
    public void A_key_made_for_a_level_serves_that_level_and_lower_ones_only()
    {
        using var context = new CkksContext(new CkksParameters(ParameterSets.ToyL15));
        using var generator = new KeyGenerator(context, HeFixture.FixedSeed(1), allowInsecure: true);
        using var secret = generator.NewSecretKey();
        using var keys = generator.NewEvaluationKeys(secret, [new(Galois.Rotation(context.Parameters, 1), 5)]);
        using var encryptor = new Encryptor(context, HeFixture.FixedSeed(2));
        var evaluator = new Evaluator(new CkksBackend(context, keys));
        double[] values = [1, 2, 3, 4];
        using var message = new Encoder(context).Encode(values, 6, context.Parameters.ScaleAt(6));
        using var a = encryptor.Encrypt(message, secret);
        using var b = evaluator.DropTo(a, 5);
        using var c = evaluator.DropTo(a, 2);

        Assert.Contains("up to level 5 only", Assert.Throws<MissingKeyException>(() => evaluator.Rotate(a, 1)).Message);
        foreach (var ciphertext in new[] { b, c })
        {
            using var rotated = evaluator.Rotate(ciphertext, 1);
            Assert.Equal(2, new Decryptor(context, secret).Slots(rotated)[0].Real, 1e-6);
        }
    }

    [Fact]
    public void An_insecure_set_is_refused_unless_it_is_allowed()
    {
        using var context = new CkksContext(new CkksParameters(ParameterSets.Toy));

        Assert.Throws<ParametersRefusedException>(() => new KeyGenerator(context));
    }

    [Fact]
    public void Memory_is_flat_over_ten_thousand_operations()
    {
        using var he = new HeFixture(ParameterSets.ToyL15, [1]);
        using var a = he.Encrypt(he.Random(1), level: 3);
        Work();
        var (before, inUse) = (he.Context.Ring.Pool.Bytes, he.Context.Ring.Pool.BytesInUse);
        var allocated = GC.GetAllocatedBytesForCurrentThread();

        for (var i = 0; i < 2500; i++)
        {
            Work();
        }

        Assert.Equal(10_004, he.Evaluator.Ledger.Counts.Where(c => c.Key.Operation != Operation.Relinearise).Sum(c => c.Value));
        Assert.Equal(before, he.Context.Ring.Pool.Bytes);
        Assert.Equal(inUse, he.Context.Ring.Pool.BytesInUse);
        // Objects for ciphertexts and closures only: no array of numbers, none of which would be below 16 KiB.
        Assert.InRange((GC.GetAllocatedBytesForCurrentThread() - allocated) / 10_000, 0, 8192);

        void Work()
        {
            using var product = he.Evaluator.Multiply(a, a);
            using var rescaled = he.Evaluator.Rescale(product);
            using var rotated = he.Evaluator.Rotate(rescaled, 1);
            using var sum = he.Evaluator.Add(rotated, rescaled);
        }
    }

    [Fact]
    public void Forgotten_ciphertexts_are_freed_and_disturb_no_other()
    {
        using var he = new HeFixture(ParameterSets.ToyL15, [1]);
        var (x, done) = (he.Random(1), false);
        var collector = new Thread(() =>
        {
            while (!Volatile.Read(ref done))
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
            }
        });
        collector.Start();
        try
        {
            for (var i = 0; i < 20; i++)
            {
                var result = he.Evaluator.Rotate(he.Evaluator.Rescale(he.Evaluator.Multiply(he.Encrypt(x), he.Encrypt(x))), 1);
                Assert.True(he.Error(result, Rotated([.. x.Select(v => v * v)], 1)) < 4 * result.EstimatedError);
            }
        }
        finally
        {
            Volatile.Write(ref done, true);
            collector.Join();
        }
    }

    private static IEnumerable<Complex> Rotated(Complex[] x, int steps) => x.Select((_, i) => x[((i + steps) % x.Length + x.Length) % x.Length]);

    private static unsafe ulong[] Residues(HeFixture he, Ciphertext ciphertext)
    {
        var all = new List<ulong>();
        foreach (var part in LimbPayload.Of(ciphertext.Payload))
        {
            for (var i = 0; i <= ciphertext.Level; i++)
            {
                var (words, kernels) = (new ulong[he.Parameters.Degree], he.Context.Ring.Chain(i));
                fixed (ulong* p = words)
                {
                    kernels.ToResidues(p, part[i]);
                }

                all.AddRange(Enumerable.Range(0, words.Length).Select(k => words[kernels.PlaceOf(k)]));
            }
        }

        return [.. all];
    }
}

using ActorTrainer.He.Backends;
using ActorTrainer.He.Circuits;
using ActorTrainer.He.Parameters;
using ActorTrainer.He.Planning;
using ActorTrainer.He.Scheme;
using Xunit;

namespace ActorTrainer.Tests.He;

public sealed class PlannerTests
{
    private static readonly double[] Coefficients = [.. Enumerable.Range(0, 32).Select(i => 1.0 / (i + 2) / (i + 2))];

    [Fact]
    public void A_plan_lists_the_keys_the_levels_and_the_operations_that_the_program_then_uses()
    {
        using var he = new HeFixture(ParameterSets.ToyL15, [1, 4]);
        using var input = he.Encrypt(he.Random(1));

        var plan = new Planner(he.Parameters).Run((e, inputs) =>
        {
            using var x = inputs.Encrypt(he.Parameters.MaxLevel);
            return [Program(e, x)];
        });
        using var result = Program(he.Evaluator, input);

        Assert.Equal(6, plan.Depth);
        Assert.Equal(he.Parameters.MaxLevel - 6, result.Level);
        Assert.Equal(he.Evaluator.Ledger.Counts, plan.Counts);
        Assert.Equal(he.Evaluator.Ledger.Keys, plan.Keys);
        Assert.Equal([result.EstimatedError], plan.Errors);
        Assert.Equal(15, plan.Keys.Single(k => k.Element == KeyRequest.Relinearisation).Level);
        Assert.Equal(9, plan.Keys.Single(k => k.Element == Galois.Rotation(he.Parameters, 4)).Level);
    }

    [Fact]
    public void Nominal_costs_rise_with_levels_and_order_operations_as_measured_ones_do()
    {
        var parameters = new CkksParameters(ParameterSets.B16D);

        var costs = NominalCosts.Of(parameters);

        foreach (var operation in Enum.GetValues<Operation>())
        {
            double[] row = [.. Enumerable.Range(0, parameters.MaxLevel + 1).Select(level => costs.Seconds(operation, level))];
            Assert.True(row.Zip(row.Skip(1), (a, b) => a <= b).All(rises => rises) && row[0] > 0, $"{operation}");
        }

        Operation[] rising = [Operation.Add, Operation.Multiply, Operation.MultiplyPlain, Operation.Rescale, Operation.RotateUndivided, Operation.RotateRaised, Operation.Raise, Operation.Relinearise];
        double[] seconds = [.. rising.Select(operation => costs.Seconds(operation, parameters.MaxLevel))];
        Assert.Equal(seconds.Order(), seconds);
        Assert.Equal(costs.Seconds(Operation.Rotate, 10), costs.Seconds(Operation.Relinearise, 10));
        // Two threads of a machine on which this was measured take 0.19 s.
        Assert.InRange(costs.Seconds(Operation.Relinearise, parameters.MaxLevel), 0.3, 0.5);
        Assert.True(costs.Seconds(Operation.MultiplyDiagonal, 5, held: 1) < costs.Seconds(Operation.MultiplyDiagonal, 5));
    }

    [Fact]
    public void Planned_memory_is_what_keys_and_ciphertexts_take()
    {
        using var context = new CkksContext(new CkksParameters(ParameterSets.ToyL15));
        var parameters = context.Parameters;
        var plan = new Planner(parameters).Run((e, inputs) =>
        {
            using var x = inputs.Encrypt(parameters.MaxLevel);
            return [Program(e, x)];
        });
        using var generator = new KeyGenerator(context, HeFixture.FixedSeed(1), allowInsecure: true);
        using var secret = generator.NewSecretKey();
        var empty = context.Ring.Pool.BytesInUse;
        using var keys = generator.NewEvaluationKeys(secret, plan.Keys);
        Assert.Equal(plan.KeyBytes, context.Ring.Pool.BytesInUse - empty);

        using var encryptor = new Encryptor(context, HeFixture.FixedSeed(2));
        using var message = new Encoder(context).Encode([0.5], parameters.MaxLevel, parameters.ScaleAt(parameters.MaxLevel));
        var before = context.Ring.Pool.BytesInUse;
        context.Ring.Pool.ForgetPeak();
        using (var x = encryptor.Encrypt(message, secret))
        {
            using var result = Program(new Evaluator(new CkksBackend(context, keys)), x);
        }

        var peak = context.Ring.Pool.PeakBytes - before;
        Assert.InRange(plan.CiphertextBytes / (double)peak, 0.9, 1.5);
    }

    [Fact]
    public void Predicted_seconds_are_the_sum_of_measured_costs_between_levels()
    {
        var parameters = new CkksParameters(ParameterSets.ToyL15);
        var costs = new OperationCosts
        {
            Set = parameters.Name,
            Parallelism = 1,
            Levels = [1, 5, 15],
            Measured = Enum.GetValues<Operation>().ToDictionary(o => o, o => (IReadOnlyList<double>)(o == Operation.Rotate ? [2, 10, 60] : [0, 0, 0])),
        };

        var plan = new Planner(parameters, OperationCosts.Parse(costs.ToJson())).Run((e, inputs) =>
        {
            using var high = inputs.Encrypt(10);
            using var low = inputs.Encrypt(3);
            return [e.Rotate(high, 1), e.Rotate(low, 1)];
        });

        Assert.Equal(35 + 6, plan.Seconds!.Value, 1e-9);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("[1, 2]")]
    [InlineData("nonsense")]
    [InlineData("""{"Set":"L15","Parallelism":1,"Levels":[1],"Measured":{"Add":[1]}}""")]
    public void A_cost_table_that_lacks_something_is_refused(string json) => Assert.Throws<ArgumentException>(() => OperationCosts.Parse(json));

    [Fact]
    public void A_plan_refuses_what_the_engine_would_refuse() => Assert.Throws<MisuseException>(() => new Planner(new CkksParameters(ParameterSets.ToyL15)).Run((e, inputs) =>
        [ChebyshevEvaluation.Evaluate(e, inputs.Encrypt(3), Coefficients)]));

    [Fact]
    public void Every_operation_is_measured_at_every_level_that_was_asked_for()
    {
        using var context = new CkksContext(new CkksParameters(ParameterSets.ToyL15));

        var costs = CostMeasurement.Measure(context, [2, 6], rounds: 1);

        Assert.Equal([2, 6], costs.Levels);
        Assert.Equal(Enum.GetValues<Operation>(), costs.Measured.Keys.Order());
        Assert.All(costs.Measured.Values, row => Assert.True(row.Count == 2 && row.All(t => t > 0)));
        Assert.Equal(costs.ToJson(), OperationCosts.Parse(costs.ToJson()).ToJson());
    }

    [Fact]
    public void A_plan_reads_as_a_table()
    {
        var parameters = new CkksParameters(ParameterSets.ToyL15);

        var text = new Planner(parameters).Run((e, inputs) => [Program(e, inputs.Encrypt(15))]).ToString();

        Assert.Contains("6 of 15 usable levels", text);
        Assert.Contains("13 Multiply", text);
        Assert.Contains("3, ", text);
        Assert.Contains("bits", text);
    }

    /// <summary>Five levels of a polynomial, two rotations and a product of the result with a constant.</summary>
    private static Ciphertext Program(Evaluator e, Ciphertext x)
    {
        using var rotated = e.Rotate(x, 1);
        using var value = ChebyshevEvaluation.Evaluate(e, rotated, Coefficients);
        using var half = e.Multiply(value, 0.5);
        using var rescaled = e.Rescale(half);
        return e.Rotate(rescaled, 4);
    }
}

"""What a business sells and stands for: products, promotions, policies, FAQs, company and support information."""
